"""What a composed answer is kept under: all that it depends on, and whose it is, as one key."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from bff_core.answer_dependencies import PER_VIEWER, PUBLIC, Sharing
from bff_core.auth.viewer import Viewer
from bff_core.scope import Scope

PREFIX: Final = "view:"

_PRINTED: Final = frozenset(
    {bool, int, float, bytes, type(None), Decimal, UUID, date, datetime, time, timedelta}
)
"""Types that differ if and only if their `repr` does."""


class UnkeyableValue(TypeError):
    """A value of a type whose equals can't be told from its text."""


def canonical(value: object) -> str:
    """Return a text that two values share only if an answer may be shared between them.

    Each text tells its own end, so that neighbours can't be mistaken for one another: of strings
    the length stands in front. Raises `UnkeyableValue` for what is neither plain data nor made of
    it.
    """
    kind = type(value)
    if kind is str:
        return f"{len(value)}:{value}"  # type: ignore[arg-type]  # a string
    if kind in _PRINTED:
        return _measured(repr(value))
    if isinstance(value, Enum):
        return _measured(f"{_name(kind)}.{value.name}")
    if kind is tuple:
        return f"({''.join(map(canonical, value))})"  # type: ignore[call-overload]  # a tuple
    if kind is frozenset:
        return f"{{{''.join(sorted(map(canonical, value)))}}}"  # type: ignore[call-overload]  # a set
    if is_dataclass(value) and not isinstance(value, type):
        members = [getattr(value, field.name) for field in fields(value)]
        return f"{_name(kind)}({''.join(map(canonical, members))})"
    raise UnkeyableValue(_name(kind))


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _measured(text: str) -> str:
    return f"={len(text)}:{text}"


def viewer_key(viewer: object) -> str:
    """Return a text that no two viewers share, nor two logins of one who may do different things.

    Raises `UnkeyableValue` for a viewer that holds more than plain data.
    """
    # A subclass may compare by fewer fields than it has.
    return _known(viewer) if type(viewer) is Viewer else canonical(viewer)


@lru_cache(maxsize=1024)
def _known(viewer: Viewer) -> str:
    return canonical(viewer)


class Form(NamedTuple):
    """What answers of one view turned out to depend on beyond its parameters."""

    sharing: Sharing
    headers: tuple[str, ...]
    has_query: bool = False

    def key(self, identity: str, scope: Scope) -> str:
        """Return what the answer to a request is kept under if it is of this form.

        `identity` stands for the view and its parameters. Raises `UnkeyableValue` for a viewer that
        none can be told of.
        """
        pieces = [identity, str(self.sharing)]
        if self.sharing != PUBLIC:
            pieces.append(canonical(scope.tenant))
        if self.sharing == PER_VIEWER:
            pieces += canonical(scope.audience), viewer_key(scope.viewer)
        if self.has_query:
            pieces.append(canonical(scope.query))
        for name in self.headers:
            pieces.append(canonical((name, *_values(scope, name.encode("latin-1", "replace")))))
        whole = "".join(pieces).encode("utf-8", "surrogatepass")
        return PREFIX + sha256(whole).hexdigest()


def _values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of all lines of a header; a reader may have seen any of them."""
    return [value.decode("latin-1") for key, value in scope.headers if key == name]
