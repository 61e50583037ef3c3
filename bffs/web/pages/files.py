"""The files of the pages: which may be read, and the answer with one."""

import re
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

from fastapi.responses import Response

from bff_core import NotFound

FOLDER: Final = Path(__file__).parent

AREAS: Final = ("start", "store", "phone", "office", "shared")
"""The folders of files that browsers may read."""

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

MAX_PATH: Final = 100
"""Characters of a path; file systems refuse to look for longer names."""

HTML: Final = "text/html; charset=utf-8"

REVALIDATED: Final = "no-cache"
"""A browser stores the file, and checks each time whether it has changed."""

_file_path: Final = re.compile(r"([a-z0-9][a-z0-9-]*/)*[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)+").fullmatch


@dataclass(frozen=True, slots=True)
class PageFile:
    """The content of a file, and its media type."""

    body: bytes
    media_type: str

    def response(self, headers: dict[str, str]) -> Response:
        """Return the answer; the gateway compares its entity tag with `If-None-Match`."""
        tag = f'"{sha256(self.body).hexdigest()[:32]}"'
        shared = {"cache-control": REVALIDATED, "etag": tag}
        return Response(self.body, headers=shared | headers, media_type=self.media_type)


def static_file(area: str, path: str, folder: Path = FOLDER) -> PageFile:
    """Return a file of an area, at a path below its folder; raises `NotFound` for all others.

    Each step of the path begins with a letter or a digit, so that none leads up or is hidden.
    """
    media_type = MEDIA_TYPES.get(Path(path).suffix)
    file = folder / area / path
    is_short = len(path) <= MAX_PATH
    is_named = is_short and area in AREAS and _file_path(path) is not None
    if not is_named or media_type is None or not _is_inside(file, folder / area):
        raise NotFound(f"The pages have no file {area}/{path}.")
    return PageFile(file.read_bytes(), media_type)


def html_file(area: str, root: str, folder: Path = FOLDER) -> PageFile:
    """Return the page of an area, with `{root}` replaced by the path that the gateway is below."""
    text = (folder / area / "index.html").read_text(encoding="utf-8")
    return PageFile(text.replace("{root}", escape(root)).encode(), HTML)


def worker_file(folder: Path = FOLDER) -> PageFile:
    """Return the service worker, which browsers load from the root of all pages."""
    return static_file("shared", "worker.js", folder)


def _is_inside(file: Path, folder: Path) -> bool:
    """Whether a path is a file below a folder, also after symbolic links."""
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())
