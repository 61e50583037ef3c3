"""Reads what a request asks for: path and query of its target, and the host it is meant for."""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

# RFC 9110, section 7.2; which hosts are served is the edge's to decide.
_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]{0,5})?")
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#@]+)([^#]*)", re.IGNORECASE)


class Target(NamedTuple):
    """Path as sent and decoded, query, and the host of a target in absolute form, else None."""

    raw_path: bytes
    path: str
    query: bytes
    host: bytes | None = None


def read_target(url: bytes) -> Target | None:
    """Split the target of a request (RFC 9112, section 3.2); None where it is none of ours."""
    host = None
    if url[:1] != b"/":
        if url == b"*":
            return Target(b"*", "*", b"")
        match = _ABSOLUTE.fullmatch(url.partition(b"#")[0])
        if match is None:
            return None
        host, url = match[1], match[2]
        if url[:1] != b"/":
            url = b"/" + url
    raw_path, _, query = url.partition(b"?")
    if b"#" in url:  # no part of a target; left out, as by most servers
        raw_path, query = raw_path.partition(b"#")[0], query.partition(b"#")[0]
    path = raw_path.decode("ascii")
    return Target(raw_path, unquote(path) if "%" in path else path, query, host)


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether a Host field has the form of one: host, maybe port."""
    return _HOST.fullmatch(value) is not None
