"""Reads the target of a request: path, query, and the host that it is for."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import unquote

# RFC 9110, section 7.2; which hosts are served is the edge's to decide.
_HOST: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::([0-9]{0,5}))?"
)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?]+)(.*)", re.IGNORECASE)
_LAST_PORT: Final = 65_535


class Target(NamedTuple):
    """Path as sent and decoded, query, and the host of a target in absolute form, else None."""

    raw_path: bytes
    path: str
    query: bytes
    host: bytes | None = None


def read_target(method: str, url: bytes) -> Target | None:
    """Split the target of a request (RFC 9112, section 3.2); None where it is none of ours.

    Refused is what programs on the way read differently: user names before a host (RFC 9110,
    section 4.2.4), fragments, and paths with a backslash, which some take for a slash.
    """
    if method == "CONNECT":
        return None
    host = None
    if url[:1] != b"/":
        if url == b"*":  # section 3.2.4: of OPTIONS only
            return Target(b"*", "*", b"") if method == "OPTIONS" else None
        match = _ABSOLUTE.fullmatch(url)
        if match is None:
            return None
        host, url = match[1], match[2]
        if not is_host(host):
            return None
        if url[:1] != b"/":
            url = b"/" + url
    raw_path, _, query = url.partition(b"?")
    if b"#" in url or b"\\" in raw_path:
        return None
    path = raw_path.decode("ascii")
    return Target(raw_path, unquote(path) if "%" in path else path, query, host)


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether a Host field has the form of one: host, maybe port. It may be empty."""
    match = _HOST.fullmatch(value)
    if match is None or int(match[2] or 0) > _LAST_PORT or value[:1] == b":":
        return False
    return match[1] is None or _is_ipv6(match[1].decode("ascii"))


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True
