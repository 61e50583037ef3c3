"""Checks the syntax of configured hosts and origins: they must equal what clients send."""

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

_WRONG_PORT: Final = r"(\*|0[0-9]*|[0-9]{6,}|[7-9][0-9]{4}|6[6-9][0-9]{3}|)"

Faults = tuple[tuple[str, str], ...]
"""Pairs of a regular expression, and the fault of a text that matches it; the first counts."""

_COMMON_FAULTS: Final[Faults] = (
    (r"[^\x00-\x7f]", "browsers send international names in ASCII"),
    (r"\.(:[0-9]*)?$", "a host has no dot at its end"),
    (r"", "browsers do not write a host like this"),
)
_HOST_FAULTS: Final[Faults] = (
    (r"[\s;'\"]", "hosts are separated by commas, and have no quotes"),
    (r"://", "a host has no scheme"),
    (r"[/?#\\]", "a host has no path"),
    (r"@", "a host has no user name"),
    (r"(^[^:]*|\]):([0-9]*|\*)$", "a host has no port"),
    (r"\*(?!\.[^*]+$)|.\*", "* stands for all labels before a name, as in *.shop.example"),
    *_COMMON_FAULTS,
)
_ORIGIN_FAULTS: Final[Faults] = (
    (r"[\s;'\"]", "origins are separated by commas, and have no quotes"),
    (r"^(?!(?i:https?)://)", "an origin begins with https:// or http://"),
    (r"://[^/?#\\]*[/?#\\]", "an origin has no path"),
    (r"@", "an origin has no user name"),
    (r"\*(?!\.[^*.]+\.[^*]+$)|[^/]\*", "* stands for one label, with two or more labels after it"),
    (r"^(https://.*:0*443|http://.*:0*80)$", "browsers leave out the default port"),
    (r"[A-Z]", "browsers send origins in lower case"),
    (rf"(//[^:]*|\]):{_WRONG_PORT}$", "browsers do not write a port like this"),
    *_COMMON_FAULTS,
)

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MAX_PORT: Final = 65535
MAX_NAME_LENGTH: Final = 253


def check_host(host: str) -> None:
    """Raise `ConfigurationError` for a host that no `Host` header can match.

    A host is a name, "*.name", "*", an IPv4 address, or an IPv6 address in brackets, in any case.
    """
    if complaint := host_complaint(host):
        raise ConfigurationError(f"Host {host!r} (BFF_ALLOWED_HOSTS) is not accepted: {complaint}.")


def host_complaint(host: str) -> str:
    """Return what is wrong with a host, and what to write instead; empty for a valid one."""
    if _is_host(host.lower()):
        return ""
    right = _repaired_host(host)
    advice = (
        f"write {right!r}" if right else "such as shop.example, or *.shop.example for all below"
    )
    return f"{_fault_of(host, _HOST_FAULTS)}: {advice}"


def check_origin(origin: str) -> None:
    """Raise `ConfigurationError` for an origin that no browser sends (RFC 6454, section 6.2).

    In a pattern such as "https://*.preview.example" the star is one label before two or more.
    """
    if _is_origin(origin):
        return
    if origin.lower() == "null":
        raise ConfigurationError(
            f"CORS origin {origin!r} (BFF_CORS_ORIGINS) is the origin of every sandboxed frame and "
            "local file, so it is refused: name the origins of pages, such as https://shop.example."
        )
    right = _repaired_origin(origin)
    advice = f"write {right!r}" if right else "such as https://shop.example"
    raise ConfigurationError(
        f"CORS origin {origin!r} (BFF_CORS_ORIGINS) is not accepted: "
        f"{_fault_of(origin, _ORIGIN_FAULTS)}: {advice}."
    )


def origin_pattern(origin: str) -> re.Pattern[bytes] | None:
    """Return the regular expression of an origin with a star; None for an exact origin."""
    scheme, _, host = origin.partition("://")
    if not host.startswith("*."):
        return None
    return re.compile(rf"{scheme}://{_LABEL}{re.escape(host[1:])}".encode())


def _fault_of(text: str, faults: Faults) -> str:
    """Return the first fault of a host or an origin."""
    return next(why for pattern, why in faults if re.search(pattern, text))


def _is_host(text: str) -> bool:
    if text == "*":
        return True
    if text.startswith("["):
        return text == _bracketed(text[1:-1])
    name = text.removeprefix("*.")
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        return False
    # Browsers parse a name that ends in a number as an IPv4 address.
    return not _NUMERIC.fullmatch(name) or (name == text and _is_ipv4(text))


def _is_origin(text: str) -> bool:
    match = _ORIGIN.fullmatch(text)
    if match is None or not _is_host(match["host"]):
        return False
    if match["host"].startswith("*") and "." not in match["host"].removeprefix("*."):
        return False  # of all origins, or of all below a top-level domain
    port = int(match["port"] or 0)
    return port <= MAX_PORT and port != DEFAULT_PORTS[match["scheme"]]


def _is_ipv4(text: str) -> bool:
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def _bracketed(text: str) -> str:
    """Return an IPv6 address as in a URL; empty for other texts, and for an address with a zone."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return ""
    if address.ipv4_mapped is not None:  # versions of Python write it differently
        return f"[{text}]"
    return "" if address.scope_id else f"[{address}]"


def _repaired_host(text: str) -> str:
    """Return the corrected host; empty if no correction is known."""
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
    """Return an international name as browsers send it; empty if standards disagree on it."""
    try:
        found = text.encode("idna").decode("ascii")
        return found if found.encode("ascii").decode("idna") == text else ""
    except UnicodeError:
        return ""


def _repaired_origin(text: str) -> str:
    """Return the corrected origin; empty if no correction is known."""
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
