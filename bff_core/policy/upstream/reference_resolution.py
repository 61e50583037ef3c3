"""Which targets of an upstream a Location or Link reference in its replies refers to."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ALLOWED: Final = "%:/?#[]@!$&'()*+,;=-._~"
"""The characters of a reference beside letters and digits (RFC 3986, section 2)."""


def same_origin(reference: str, target: str, origins: Sequence[str]) -> list[str]:
    """Return the targets that a reference in the reply to a call of `target` refers to.

    `origins` are the addresses of the upstream, with the base path that targets are put behind; a
    reference is resolved at each (RFC 3986, section 5), and counts where scheme, host and port stay
    the same. Without them only relative references do.
    """
    reference = escaped(reference)
    found = [_resolved(reference, target, origin) for origin in origins or ("http://.invalid",)]
    return [one for one in dict.fromkeys(found) if one is not None]


def escaped(reference: str) -> str:
    """Return a reference, read as Latin-1, with its octets escaped that no URL holds.

    Services send spaces and UTF-8 as they are, and browsers take them so.
    """
    return quote(reference, safe=_ALLOWED, encoding="latin-1")


def _resolved(reference: str, target: str, origin: str) -> str | None:
    base = origin.rstrip("/")
    try:
        url = urlsplit(urljoin(base + target, reference))
        if _origin(base) != _origin(url.geturl()):
            return None
    except ValueError:  # brackets that hold no address, a port that is none
        return None
    path = urlsplit(base).path
    if not url.path.startswith(f"{path}/"):
        return None
    return url.path[len(path) :] + (f"?{url.query}" if url.query else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
