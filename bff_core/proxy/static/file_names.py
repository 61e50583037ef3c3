"""Which paths may name a file: they never leave the folder, on any operating system.

The rules are the same everywhere, so that a folder which is served on Linux is served alike on
Windows, where a name may mean a device, a stream of a file, or another name.
"""

import re
from typing import Final

MAX_PATH: Final = 1024
"""Characters of a path, at most; file systems refuse longer names anyway."""

INDEX: Final = "index.html"
"""The file that answers for a folder."""

WELL_KNOWN: Final = ".well-known"
"""The one name with a leading dot that is public (RFC 8615); only as the first segment."""

_DEVICE: Final = r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])"
_is_name: Final = re.compile(
    rf"(?!\.)(?!{_DEVICE} *(?:\.|$))[^\x00-\x1f\x7f/\\:]*[^\x00-\x1f\x7f/\\:. ]", re.IGNORECASE
).fullmatch
"""Not hidden, no device; without separator, drive, stream, and dot or space at its end."""

_has_encoded_separator: Final = re.compile(rb"%(?:2f|5c|00)", re.IGNORECASE).search

_trick: Final = re.compile(r"(?:^|/)\.|[\\\x00-\x1f\x7f]").search


def is_servable(path: str) -> bool:
    """Whether a decoded path, relative to the folder, may name a file or a folder.

    A folder's path ends with a slash, or is empty. Refused are ".", "..", hidden files,
    backslashes, control characters, empty segments, and names that Windows reads in its own way.
    """
    if len(path) > MAX_PATH:
        return False
    *folders, last = path.split("/")
    if folders and folders[0] == WELL_KNOWN:
        del folders[0]
    return all(map(_is_name, folders)) and (not last or _is_name(last) is not None)


def has_encoded_separator(raw_path: bytes) -> bool:
    """Whether a segment has a slash, a backslash or a NUL in it: no file has such a name."""
    return b"%" in raw_path and _has_encoded_separator(raw_path) is not None


def may_be_page(path: str) -> bool:
    """Whether a single-page app may have a page at a path: nothing hidden, no trick of a client."""
    return _trick(path) is None
