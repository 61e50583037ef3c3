"""Parses the documentation for tests: pages, headings, links, tables and code blocks."""

import re
import textwrap
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

PLAYED = (
    "README.md",
    "docs/tutorial.md",
    "docs/how-to/migrate-from-fastapi.md",
    "docs/how-to/migrate-from-krakend.md",
    "docs/how-to/migrate-from-node-bff.md",
    "docs/how-to/migrate-from-ocelot.md",
    "docs/how-to/testing.md",
    "docs/ten-minutes.md",
)
"""Pages whose files are written and whose commands are run, as a reader would."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|^(?: {4}|\t)[^\n]*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line that it begins on."""

    language: str
    text: str
    line: int

    @property
    def code(self) -> str:
        """The text as a module of its own: what is to be added to a class, without its indent."""
        first, _, rest = self.text.partition("\n")
        return textwrap.dedent(rest if first.endswith(": add") else self.text)


@dataclass(frozen=True)
class Page:
    """One page of documentation."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The path from the root, as one would type it."""
        return str(self.path.relative_to(ROOT))

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks, in order."""
        return [
            Block(match[1], match[2], self.text.count("\n", 0, match.start()) + 2)
            for match in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """Its text without code."""
        return _CODE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of its links and images."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link may name after "#": its headings, as GitHub spells them."""
        titles = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def section(self, heading: str) -> str:
        """Return the text below a heading of the second level."""
        _, _, below = self.text.partition(f"\n## {heading}\n")
        return below.partition("\n## ")[0]


def page(path: Path) -> Page:
    """Read a page."""
    return Page(path, path.read_text())


def pages() -> list[Page]:
    """Read every page that users of the repository meet."""
    paths = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("[!.]*/README.md")]
    return [page(path) for path in sorted(paths)]


def table(text: str) -> list[list[str]]:
    """Return the cells of the first table in a text, its head and rule left out."""
    _, _, below = f"\n{text}".partition("\n|")
    rows = takewhile(lambda line: line.startswith("|"), f"|{below}".splitlines())
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return cells[2:]
