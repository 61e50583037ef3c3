"""Response headers: completes the head of each answer in one pass."""

from functools import lru_cache
from typing import Final

from bff_core.call import Headers
from bff_core.http_exchange.part_headers import COMPLETE, DEGRADED
from bff_core.scope import Scope

Fields = list[tuple[bytes, bytes]]

FAILED: Final = 400
"""The lowest status of an answer that gets `Cache-Control: no-store` by default."""

NOT_MODIFIED: Final = 304

MAX_CACHED_NAMES: Final = 1024
"""How many header names are remembered to be in lower case."""


class ResponseHeaders:
    """Adds headers to each answer: constant ones, and those of the request.

    A header that the application has set wins, then one that a concern has added, so that a page of
    documentation may have a content security policy of its own. No header is sent twice, except
    cookies; `Vary` is merged. An answer without `Cache-Control` and `Expires` gets `Cache-Control`:
    `no-store` if it is a failure or a stream, which may be incomplete, else `private, no-cache`.
    A 304 gets no constant ones: they would replace those that the browser has stored with the page
    (RFC 9111, section 3.2), also its own content security policy.
    """

    __slots__ = ("_constant", "_names")

    def __init__(self, constant: Headers) -> None:
        self._constant = constant
        self._names = frozenset(name for name, _ in constant)

    def write(
        self,
        headers: Fields,
        scope: Scope,
        added: Headers,
        challenge: bytes,
        *,
        is_stored: bool,
        is_known: bool,
    ) -> None:
        """Add to `headers` in place; `challenge` is empty unless the answer is a 401.

        `is_stored` is whether a browser may store an answer without `Cache-Control`, `is_known`
        whether it has the answer already (304).
        """
        names = {name for name, _ in headers}
        if not names <= _lower:
            names = _in_lower_case(headers)
        if added:
            headers += [field for field in added if field[0] not in names or field[0] in _MERGED]
            names = names.union([name for name, _ in added])
        if is_known:
            pass
        elif names.isdisjoint(self._names):
            headers += self._constant
        else:
            headers += [field for field in self._constant if field[0] not in names]
        if names.isdisjoint(_REUSE):
            headers.append(COMPLETE if is_stored else DEGRADED)
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", scope.request_id.encode()))
        if scope.vary:
            own = _take_vary(headers) if b"vary" in names else ()
            headers.append((b"vary", _vary(own, tuple(scope.vary))))
        if challenge and b"www-authenticate" not in names:
            headers.append((b"www-authenticate", challenge))


_REUSE: Final = frozenset({b"cache-control", b"expires"})
"""Headers that say for how long an answer may be reused."""

_MERGED: Final = frozenset({b"set-cookie", b"vary"})
"""Headers that both the application and the edge may set."""

_lower: set[bytes] = set()


def _in_lower_case(headers: Fields) -> set[bytes]:
    """Return the names in lower case, and change `headers` to them.

    ASGI demands lower case, but some applications do not comply.
    """
    headers[:] = [(name.lower(), value) for name, value in headers]
    names = {name for name, _ in headers}
    if len(_lower) < MAX_CACHED_NAMES:
        _lower.update(names)
    return names


def _take_vary(headers: Fields) -> tuple[bytes, ...]:
    """Remove the application's `Vary` headers, and return their values."""
    own = [field for field in headers if field[0] == b"vary"]
    for field in own:
        headers.remove(field)
    return tuple([value for _, value in own])


@lru_cache(maxsize=256)
def _vary(own: tuple[bytes, ...], wanted: tuple[str, ...]) -> bytes:
    """Join the application's values and the edge's names, each once (RFC 9110, 12.5.5)."""
    names = [name.strip() for value in own for name in value.decode("latin-1").split(",")]
    if "*" in names:
        return b"*"
    merged = {name.lower(): name for name in (*names, *map(str.title, wanted)) if name}
    return ", ".join(merged.values()).encode("latin-1")
