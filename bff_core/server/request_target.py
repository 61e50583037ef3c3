"""Parses the request target: path, query, host (RFC 9112, section 3.2)."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import unquote

# RFC 9110, section 7.2. The edge checks whether the host is allowed.
_HOST: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::([0-9]{0,5}))?"
)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?]+)(.*)", re.IGNORECASE)
_LAST_PORT: Final = 65_535


class Target(NamedTuple):
    """The path (raw and decoded), the query, and the host of a target in absolute form."""

    raw_path: bytes
    path: str
    query: bytes
    host: bytes | None = None


def read_target(method: str, url: bytes) -> Target | None:
    """Parse a request target (RFC 9112, section 3.2); return None for an unacceptable one.

    That includes targets that other programs might read differently: with user names before the
    host (RFC 9110, section 4.2.4), fragments, or a backslash in the path.
    """
    if method == "CONNECT":
        return None
    host = None
    if url[:1] != b"/":
        if url == b"*":  # section 3.2.4: for OPTIONS only
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
    """Whether the value of a Host field is valid: a host, optionally with a port, or empty."""
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
