"""Return URLs after a sign-in: paths of this site only (no open redirects)."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

MAX_RETURN_URL_BYTES: Final = 2048
"""Bytes of an encoded URL. A longer one loses its fragment, then its query, then its path."""

ERROR: Final = "login_error"
"""The query parameter that holds the reason why a sign-in failed."""

_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))
_SAFE: Final = "".join(one for one in _PRINTABLE if one not in '"<>\\^`{|}')

_has_controls: Final = re.compile(r"[\x00-\x1f\x7f]").search
_bare_percents: Final = re.compile(r"%(?![0-9a-fA-F]{2})").sub
# Browsers drop dot segments, and take a backslash for a slash: behind both, `//host` is an origin.
_leads_elsewhere: Final = re.compile(r"/(?:(?:\.|%2e){1,2}[/\\])*[/\\]", re.IGNORECASE).match


def local_path(address: str) -> str | None:
    """Return a decoded URL as a path of this site; None for anything that may lead elsewhere.

    Characters that a URL can't have are encoded (spaces, letters beyond ASCII). An error of an
    earlier sign-in is removed.
    """
    if not address.startswith("/") or _has_controls(address) or _leads_elsewhere(address):
        return None
    url = quote(_bare_percents("%25", address), safe=_SAFE)
    return next(one for one in _shortened(_without_error(url)) if len(one) <= MAX_RETURN_URL_BYTES)


def with_error(url: str, error: str) -> str:
    """Return a URL with an error in its query, which ends before the fragment."""
    before, hash_, fragment = _without_error(url).partition("#")
    mark = "&" if "?" in before else "?"
    return f"{before}{mark}{urlencode({ERROR: error})}{hash_}{fragment}"


def _without_error(url: str) -> str:
    before, hash_, fragment = url.partition("#")
    path, mark, query = before.partition("?")
    pairs = [one for one in query.split("&") if one.partition("=")[0] != ERROR]
    left = "&".join(pairs)
    return f"{path}{mark if left or not query else ''}{left}{hash_}{fragment}"


def _shortened(url: str) -> Iterable[str]:
    """Yield a URL, then the same without its fragment, its query, its path."""
    yield url
    yield url.partition("#")[0]
    yield url.partition("#")[0].partition("?")[0]
    yield "/"
