"""Writes what every concern adds to the head of an answer, in one pass."""

from functools import lru_cache

from bff_core.call import Headers
from bff_core.scope import Scope

Fields = list[tuple[bytes, bytes]]


class Head:
    """The headers of each answer: those that never change, and those of one request.

    A header that the application set itself wins over a `constant` one, so that a page of
    documentation may have a content security policy of its own.
    """

    __slots__ = ("_constant", "_names")

    def __init__(self, constant: Headers) -> None:
        self._constant = constant
        self._names = frozenset(name for name, _ in constant)

    def write(self, headers: Fields, scope: Scope, added: Headers, challenge: bytes) -> None:
        """Complete `headers` in place; `challenge` is empty unless the answer is a 401."""
        names = {name for name, _ in headers}
        if names.isdisjoint(self._names):
            headers += self._constant
        else:
            headers += [field for field in self._constant if field[0] not in names]
        headers += added
        headers.append((b"x-request-id", scope.request_id.encode()))
        if scope.vary:
            told = _take_vary(headers) if b"vary" in names else ()
            headers.append((b"vary", _vary(told, tuple(scope.vary))))
        if challenge and b"www-authenticate" not in names:
            headers.append((b"www-authenticate", challenge))


def _take_vary(headers: Fields) -> tuple[bytes, ...]:
    """Take the application's own values out."""
    told = [field for field in headers if field[0] == b"vary"]
    for field in told:
        headers.remove(field)
    return tuple([value for _, value in told])


@lru_cache(maxsize=256)
def _vary(told: tuple[bytes, ...], wanted: tuple[str, ...]) -> bytes:
    """Join the application's own values and the edge's names, each once (RFC 9110, 12.5.5)."""
    spoken = [name.strip() for value in told for name in value.decode("latin-1").split(",")]
    if "*" in spoken:
        return b"*"
    merged = {name.lower(): name for name in (*spoken, *map(str.title, wanted)) if name}
    return ", ".join(merged.values()).encode("latin-1")
