"""Checks that hosts and origins are spelt as clients send them: other spellings never match."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from bff_core.errors import ConfigurationError

_LABEL: Final = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>.+?)(?::(?P<port>[1-9][0-9]{0,4}))?")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_PORT: Final = re.compile(r":([0-9]*|\*)$")

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
LARGEST_PORT: Final = 65535
MAX_NAME_LENGTH: Final = 253


def check_host(host: str) -> None:
    """Raise `ConfigurationError` for a host that no `Host` header can be equal to.

    A host is a name, "*.name", "*", an IPv4 address, or an IPv6 address in brackets. Case does
    not matter.
    """
    if _is_host(host.lower()):
        return
    right = _repaired_host(host)
    advice = (
        f"write {right!r}" if right else "such as shop.example, or *.shop.example for all below"
    )
    raise ConfigurationError(
        f"Host {host!r} (BFF_ALLOWED_HOSTS) would never match: hosts have no scheme, port or path, "
        f"are separated by commas, and are written as browsers send them: {advice}."
    )


def check_origin(origin: str) -> None:
    """Raise `ConfigurationError` for an origin that no browser sends (RFC 6454, section 6.2)."""
    if _is_origin(origin):
        return
    if origin.lower() == "null":
        raise ConfigurationError(
            f"CORS origin {origin!r} (BFF_CORS_ORIGINS) is that of every sandboxed frame and local "
            "file, so it can't be named: name the origins of pages, such as https://shop.example."
        )
    right = _repaired_origin(origin)
    advice = f"write {right!r}" if right else "such as https://shop.example"
    raise ConfigurationError(
        f"CORS origin {origin!r} (BFF_CORS_ORIGINS) would never match: origins have a scheme, a "
        "host without wildcards, a port if it is not the default one, and no path; they are "
        f"separated by commas: {advice}."
    )


def _is_host(text: str) -> bool:
    if text == "*":
        return True
    if text.startswith("["):
        return text == _bracketed(text[1:-1])
    name = text.removeprefix("*.")
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        return False
    # Browsers take what ends in a number for an IPv4 address, and write it in full.
    return not _NUMERIC.fullmatch(name) or (name == text and _is_ipv4(text))


def _is_origin(text: str) -> bool:
    match = _ORIGIN.fullmatch(text)
    if match is None or match["host"].startswith("*") or not _is_host(match["host"]):
        return False
    port = int(match["port"] or 0)
    return port <= LARGEST_PORT and port != DEFAULT_PORTS[match["scheme"]]


def _is_ipv4(text: str) -> bool:
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def _bracketed(text: str) -> str:
    """Return an IPv6 address as it stands in a URL; empty for what is none, or has a zone."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return ""
    if address.ipv4_mapped is not None:  # one that Python writes in two ways
        return f"[{text}]"
    return "" if address.scope_id else f"[{address}]"


def _repaired_host(text: str) -> str:
    """Return the right spelling of a host; empty where that is unknown."""
    text = _SCHEME.sub("", text.strip(), count=1)
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0].rpartition("@")[2].lower()
    if _bracketed(text):
        return _bracketed(text)
    if text.startswith("["):
        return _bracketed(text[1:].partition("]")[0])
    text = _PORT.sub("", text).rstrip(".")
    text = re.sub(r"^(\*?\.|\*(?=[^.]))", "*.", text)
    found = _in_ascii(text)
    return found if found != "*" and _is_host(found) else ""


def _in_ascii(text: str) -> str:
    """Return an international name as browsers send it; empty where standards disagree."""
    try:
        found = text.encode("idna").decode("ascii")
        return found if found.encode("ascii").decode("idna") == text else ""
    except UnicodeError:
        return ""


def _repaired_origin(text: str) -> str:
    """Return the right spelling of an origin; empty where that is unknown."""
    match = _SCHEME.match(text.strip())
    scheme = match[1].lower() if match else "https"
    host = _repaired_host(text)
    authority = re.split(r"[/?#\\]", _SCHEME.sub("", text.strip(), count=1), maxsplit=1)[0]
    is_bare_ipv6 = host.startswith("[") and "[" not in authority
    port = None if is_bare_ipv6 else _PORT.search(authority)
    number = int(port[1]) if port and port[1].isdigit() else 0
    has_port = number not in {0, DEFAULT_PORTS.get(scheme)}
    found = f"{scheme}://{host}" + (f":{number}" if has_port else "")
    return found if _is_origin(found) else ""
