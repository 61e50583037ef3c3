"""Finds dead links in the built site."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REFERENCES = {"a": "href", "img": "src", "link": "href", "script": "src"}
"""The attribute of each element that links to another file."""


class _Page(HTMLParser):
    """Collects the ids and the links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids = {""}
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values.get("id") or "", values.get("name") or ""}
        link = values.get(REFERENCES.get(tag, ""))
        if link:
            self.links.append(link)


def dead_links(site: Path) -> list[str]:
    """Return each link to a missing file or id, with its page."""

    @cache
    def page(path: Path) -> _Page:
        return _Page(path.read_text())

    dead = []
    for path in sorted(site.rglob("*.html")):
        for link in page(path).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            is_there = target.is_file()
            if is_there and target.suffix == ".html":
                is_there = unquote(parts.fragment) in page(target).ids
            if not is_there:
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead
