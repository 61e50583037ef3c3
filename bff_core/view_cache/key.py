"""Computes the cache key of a composed answer, which holds everything the answer depends on."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from bff_core.answer_cacheability import PER_VIEWER, PUBLIC, Sharing
from bff_core.auth.viewer import Viewer
from bff_core.public_names import defining_module
from bff_core.scope import Scope

PREFIX: Final = "view:"

_PRINTED: Final = frozenset(
    {bool, int, float, bytes, type(None), Decimal, UUID, date, datetime, time, timedelta}
)
"""Types whose values differ if and only if their `repr` does."""


class UnkeyableValue(TypeError):
    """A value of a type that `canonical` does not support."""


def canonical(value: object) -> str:
    """Return a text that two values share only if they are equal and of one type.

    Each text begins with its length, so that two texts in a row have one reading only. Raises
    `UnkeyableValue` for a value that is neither plain data nor made of it.
    """
    kind = type(value)
    if kind is str:
        return f"{len(value)}:{value}"  # type: ignore[arg-type]  # a string
    if kind in _PRINTED:
        return _with_length(repr(value))
    if isinstance(value, Enum):
        return _with_length(f"{_name(kind)}.{value.name}")
    if kind is tuple:
        return f"({''.join(map(canonical, value))})"  # type: ignore[call-overload]  # a tuple
    if kind is frozenset:
        return f"{{{''.join(sorted(map(canonical, value)))}}}"  # type: ignore[call-overload]  # a set
    if is_dataclass(value) and not isinstance(value, type):
        members = [getattr(value, field.name) for field in fields(value)]
        return f"{_name(kind)}({''.join(map(canonical, members))})"
    raise UnkeyableValue(_name(kind))


def _name(kind: type) -> str:
    return f"{defining_module(kind)}.{kind.__qualname__}"


def _with_length(text: str) -> str:
    return f"={len(text)}:{text}"


def viewer_key(viewer: object) -> str:
    """Return a text that differs for two viewers, and for two sign-ins with different rights.

    Raises `UnkeyableValue` for a viewer that holds a value that is no plain data.
    """
    # A subclass may compare by fewer fields than it has.
    return _cached_viewer_key(viewer) if type(viewer) is Viewer else canonical(viewer)


@lru_cache(maxsize=1024)
def _cached_viewer_key(viewer: Viewer) -> str:
    return canonical(viewer)


class Vary(NamedTuple):
    """The parts of a request that answers of one view depend on, beside its parameters."""

    headers: tuple[str, ...] = ()
    has_query: bool = False

    def union(self, other: "Vary") -> "Vary":
        """Return both together; header names are sorted."""
        if other == self:
            return self
        headers = tuple(sorted({*self.headers, *other.headers}))
        return Vary(headers, self.has_query or other.has_query)

    def key(self, identity: str, sharing: Sharing, scope: Scope) -> str:
        """Return the key of the answer to a request, for the viewers who may share it.

        `identity` is the part of the key for the view and its parameters. Raises `UnkeyableValue`
        for a viewer that holds a value that is no plain data.
        """
        pieces = [identity, str(sharing)]
        if sharing != PUBLIC:
            pieces.append(canonical(scope.tenant))
        if sharing == PER_VIEWER:
            pieces += canonical(scope.audience), viewer_key(scope.viewer)
        if self.has_query:
            pieces.append(canonical(scope.query))
        for name in self.headers:
            pieces.append(canonical((name, *_values(scope, name.encode("latin-1", "replace")))))
        whole = "".join(pieces).encode("utf-8", "surrogatepass")
        return PREFIX + sha256(whole).hexdigest()


def _values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of all lines of a header, since the view may have read any of them."""
    return [value.decode("latin-1") for key, value in scope.headers if key == name]
