"""Resolves URL references in a service's replies, such as Location, to targets of the service."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ALLOWED: Final = "%:/?#[]@!$&'()*+,;=-._~"
"""The characters of a reference apart from letters and digits (RFC 3986, section 2)."""


def same_origin(reference: str, target: str, origins: Sequence[str]) -> list[str]:
    """Return the targets that a reference in the reply to a call of `target` resolves to.

    `origins` are the addresses of the upstream, with their base path. A reference is resolved
    against each (RFC 3986, section 5), and counts if scheme, host and port stay the same. Without
    origins only relative references count.
    """
    reference = escaped(reference)
    found = [_resolved(reference, target, origin) for origin in origins or ("http://.invalid",)]
    return [one for one in dict.fromkeys(found) if one is not None]


def escaped(reference: str) -> str:
    """Return a reference, which was decoded as Latin-1, with percent-encoding where it lacks it.

    Services send unencoded spaces and UTF-8, and browsers accept them.
    """
    return quote(reference, safe=_ALLOWED, encoding="latin-1")


def _resolved(reference: str, target: str, origin: str) -> str | None:
    base = origin.rstrip("/")
    try:
        url = urlsplit(urljoin(base + target, reference))
        if _origin(base) != _origin(url.geturl()):
            return None
    except ValueError:  # brackets without an IPv6 address, or a wrong port
        return None
    path = urlsplit(base).path
    if not url.path.startswith(f"{path}/"):
        return None
    return url.path[len(path) :] + (f"?{url.query}" if url.query else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
