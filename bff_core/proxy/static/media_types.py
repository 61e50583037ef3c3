"""Media types of files by their ending, the same on all machines."""

from mimetypes import MimeTypes
from typing import Final

UNKNOWN: Final = "application/octet-stream"

TYPES: Final = {
    "avif": "image/avif",
    "br": UNKNOWN,  # a file that is requested by its compressed name is a download
    "css": "text/css",
    "csv": "text/csv",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "js": "text/javascript",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wasm": "application/wasm",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "zip": "application/zip",
    "zst": "application/zstd",
}

COMPRESSIBLE: Final = frozenset({
    *("application/json", "application/ld+json", "application/manifest+json", "application/wasm"),
    *("application/xhtml+xml", "application/xml", "image/svg+xml", "image/vnd.microsoft.icon"),
    *("font/otf", "font/ttf"),
})  # fmt: skip
"""Types whose bytes shrink, besides `text/*`; the others are compressed already."""

_others: Final = MimeTypes()
"""Python's own table, without the files of the machine."""


def media_type_of(name: str) -> str:
    """Return the media type of a file name; text is UTF-8."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    found = TYPES.get(ending) or _others.types_map[True].get(f".{ending}", UNKNOWN)
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def is_compressible(media_type: str) -> bool:
    """Whether compression makes files of a media type smaller."""
    return media_type.startswith("text/") or media_type in COMPRESSIBLE
