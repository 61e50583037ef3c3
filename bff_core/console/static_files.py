"""The files of the console's pages: scripts, styles, and the HTML of every page."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff_core.console.answers import ConsoleProblem

ASSETS: Final = Path(__file__).parent / "assets"
"""Where the built files are."""

PAGE: Final = "index.html"

MIN_COMPRESSED_BYTES: Final = 1000
"""Files from this size are compressed."""

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

_OWN_ADDRESS: Final = re.compile(r'(?<=[\s"])(href|src|action)="/console(?=[/"])')
_SNAPSHOT: Final = '<script type="application/json" id="snapshot">{}</script>'
_ROOT: Final = re.compile(r"<html\b")
_import = re.compile(rb'(?:from|import)"\./([\w.-]+\.js)"').findall
"""Finds the scripts that a built script imports at once."""


@dataclass(frozen=True)
class StaticFile:
    """One file: its bytes and its type."""

    body: bytes
    kind: str

    @cached_property
    def etag(self) -> str:
        """The entity tag: a hash of the bytes."""
        return f'"{sha256(self.body).hexdigest()[:24]}"'

    @cached_property
    def compressed(self) -> bytes:
        """The bytes for clients that accept gzip."""
        return gzip.compress(self.body, mtime=0)


class StaticFiles:
    """The files of a folder, read once; names that are not among them are refused."""

    def __init__(self, folder: Path = ASSETS) -> None:
        self._folder = folder

    @cached_property
    def _files(self) -> dict[str, StaticFile]:
        return {
            path.relative_to(self._folder).as_posix(): StaticFile(path.read_bytes(), _type(path))
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        }

    def answer(self, request: Request, name: str) -> Response:
        """Return a file; 304 if the client has it. Raises `ConsoleProblem` (404)."""
        found = self._files.get(name)
        if found is None:
            raise ConsoleProblem(404, "No such file", "Load the page again.")
        headers = {"cache-control": "no-cache", "etag": found.etag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        is_compressed = accepts and len(found.body) >= MIN_COMPRESSED_BYTES
        if is_compressed:
            headers["content-encoding"] = "gzip"
        body = found.compressed if is_compressed else found.body
        return Response(body, headers=headers, media_type=found.kind)

    def page(self, prefix: str, snapshot: object, name: str = "", status: int = 200) -> Response:
        """Return the HTML of all pages with the snapshot inside; `name` is the page to show.

        The file has the addresses `/console/…`; the answer has the prefix before them, also as
        `data-prefix` of the root element. `<script id="snapshot">` has the snapshot. A browser
        fetches what the page needs at once, not one script after the other.
        """
        found = self._files.get(PAGE)
        if found is None:
            raise ConsoleProblem(
                501, "The pages of the console are not built", "Build them with `make console`."
            )
        text = found.body.decode().replace("</head>", f"{self._preloads(name)}</head>", 1)
        text = _OWN_ADDRESS.sub(rf'\1="{escape(prefix)}/console', text)
        text = _ROOT.sub(f'<html data-prefix="{escape(prefix)}"', text, count=1)
        data = msgspec.json.encode(snapshot).decode().replace("<", "\\u003c")
        text = text.replace(_SNAPSHOT, _SNAPSHOT.replace("{}", data), 1)
        headers = {"cache-control": "no-store"}
        return Response(text, status, headers=headers, media_type=_TYPES[".html"])

    def _preloads(self, name: str) -> str:
        """Return the elements that fetch the scripts and the style of a page."""
        name = name or "overview"
        found = dict.fromkeys(["main.js"])
        waiting = [one for one in ("main.js", f"{name}.js") if one in self._files]
        while waiting:
            script = waiting.pop()
            found[script] = None
            imported = (one.decode() for one in _import(self._files[script].body))
            waiting += [one for one in imported if one in self._files and one not in found]
        scripts = [f'<link rel="modulepreload" href="/console/assets/{one}">' for one in found]
        style = f"{name}.css"
        if f"{name}.js" in self._files and style in self._files:
            scripts.append(f'<link rel="preload" as="style" href="/console/assets/{style}">')
        return "".join(scripts)


def _type(path: Path) -> str:
    known = _TYPES.get(path.suffix)
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
