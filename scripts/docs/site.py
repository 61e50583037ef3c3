"""Builds the site with zensical, from the Markdown pages and the API reference."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.docs.api import PACKAGES, api_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BUILD = ROOT / "build"

OTHER_FILES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "scripts/docs/site.css": "site.css",
}
"""Files outside docs/ on the site, and their paths there."""

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<file>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def build(folder: Path = BUILD) -> Path | None:
    """Build the site below `folder` and return its folder; None if zensical reports errors."""
    pages, site = folder / "pages", folder / "site"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    places = {source: pages / place for source, place in _sources()}
    for source, target in places.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(with_links_of_the_site(source.read_text(), source, places))
        else:
            shutil.copyfile(source, target)
    for package in PACKAGES:
        target = pages / "reference" / "api" / f"{package}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(api_page(package))
    configuration = folder / "mkdocs.yml"
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    entries = "".join(f"      - decisions/{path.name}\n" for path in decisions)
    configuration.write_text((ROOT / "mkdocs.yml").read_text() + entries)
    zensical = Path(sys.executable).with_name("zensical")
    done = subprocess.run(
        (zensical, "build", "--clean", "--strict", "--config-file", configuration),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        complaints, _, _ = _COLOUR.sub("", done.stdout + done.stderr).partition("Traceback")
        print(complaints, file=sys.stderr)
    return None if done.returncode else site


def _sources() -> Iterator[tuple[Path, str]]:
    """Yield each file of the site and its path there."""
    for path in sorted(DOCS.rglob("*")):
        if path.is_file():
            yield path, str(path.relative_to(DOCS))
    for name, place in OTHER_FILES.items():
        yield ROOT / name, place


def with_links_of_the_site(text: str, source: Path, places: Mapping[Path, Path]) -> str:
    """Return a page with its links adapted to the site.

    A link to a file that is not on the site, such as a test, becomes the path of the file:
    the site may be read without the repository.
    """

    def replaced(link: re.Match[str]) -> str:
        if re.match(r"\w+:", link["file"]):
            return link[0]
        linked = Path(os.path.normpath(source.parent / link["file"]))
        if linked in places:
            path = os.path.relpath(places[linked], places[source].parent)
            return f"[{link['text']}]({path}{link['anchor'] or ''})"
        if not linked.exists():
            return link[0]  # the check of links reports it
        path = str(linked.relative_to(ROOT))
        shown = link["text"].strip("`")
        return f"`{path}`" if shown in path else f"{link['text']} (`{path}`)"

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(replaced, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replaced, text[end:])])
