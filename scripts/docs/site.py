"""The site: pages as Markdown with the API reference beside them, built by zensical."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.docs.api import PACKAGES, api_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = ROOT / "build" / "pages"
SITE = ROOT / "build" / "site"

ROOT_PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files outside docs/ that are pages of the site, and their paths there."""

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<file>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def build() -> bool:
    """Build the site into `build/site`; False when zensical complains."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    for source, target in _sources():
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(with_links_of_the_site(source.read_text(), source, target))
        else:
            shutil.copyfile(source, target)
    for package in PACKAGES:
        target = PAGES / "reference" / "api" / f"{package}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(api_page(package))
    zensical = Path(sys.executable).with_name("zensical")
    done = subprocess.run(
        (zensical, "build", "--clean", "--strict", "--config-file", str(ROOT / "mkdocs.yml")),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 0


def _sources() -> Iterator[tuple[Path, Path]]:
    for path in sorted(DOCS.rglob("*")):
        if path.is_file():
            yield path, PAGES / path.relative_to(DOCS)
    for name, place in ROOT_PAGES.items():
        yield ROOT / name, PAGES / place


def with_links_of_the_site(text: str, source: Path, target: Path) -> str:
    """Return a page with its links as the site has them.

    A link to a file that the site does not have, a test for example, becomes the path of the file:
    the site may be read without the repository.
    """
    places = dict(_sources())

    def replaced(link: re.Match[str]) -> str:
        if re.match(r"\w+:", link["file"]):
            return link[0]
        linked = Path(os.path.normpath(source.parent / link["file"]))
        if linked in places:
            path = os.path.relpath(places[linked], target.parent)
            return f"[{link['text']}]({path}{link['anchor'] or ''})"
        path = str(linked.relative_to(ROOT))
        shown = link["text"].strip("`")
        return f"`{path}`" if shown in path else f"{link['text']} (`{path}`)"

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(replaced, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replaced, text[end:])])
