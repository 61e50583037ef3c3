"""Parses the fields that control caching: Cache-Control, targeted cache control, Vary and Age.

If directives contradict each other or are malformed, the reply counts as stale (RFC 9111, section
4.2.1).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final

from bff_core.cache.structured_fields import dictionary
from bff_core.call import Headers

MAX_SECONDS: Final = 2.0**31
"""The largest value of a duration (RFC 9111, section 1.2.2)."""

MAX_FIELD_BYTES: Final = 1024
"""The longest field that is parsed; a longer one counts as no-store."""

PARSED_FIELDS: Final = 1024
"""How many parsed fields are cached; services repeat a few values."""

Fields = Mapping[bytes, bytes]
"""Header fields by lower-case name; several lines of one name are joined by commas."""


@dataclass(frozen=True, slots=True)
class Directives:
    """The directives of a Cache-Control field (RFC 9111, section 5.2; RFC 5861; RFC 8246).

    Durations are in seconds, None if absent. `no_cache` and `private` apply to the whole reply.
    `withheld` holds the field names of the qualified forms (`no-cache="a, b"`), which are not
    stored. `max_stale` is infinite if the request names no bound.
    """

    no_store: bool = False
    no_cache: bool = False
    private: bool = False
    public: bool = False
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    immutable: bool = False
    max_age: float | None = None
    s_maxage: float | None = None
    stale_while_revalidate: float | None = None
    stale_if_error: float | None = None
    min_fresh: float | None = None
    max_stale: float | None = None
    withheld: frozenset[bytes] = frozenset()


NO_DIRECTIVES: Final = Directives()
UNREADABLE: Final = Directives(no_store=True)

_PIECE: Final = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+', re.DOTALL)
_is_token: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_FLAGS: Final = frozenset({
    *(b"no-store", b"public", b"immutable"),
    *(b"must-revalidate", b"proxy-revalidate", b"must-understand"),
})  # fmt: skip
_FLAGS_OR_NAMES: Final = frozenset({b"no-cache", b"private"})
_SECONDS: Final = frozenset({
    *(b"max-age", b"s-maxage", b"min-fresh", b"max-stale"),
    *(b"stale-while-revalidate", b"stale-if-error"),
})  # fmt: skip

Argument = bytes | int | None
"""The argument of a directive: None, text or a number; empty text if it is malformed."""


def fields_of(headers: Headers, names: frozenset[bytes]) -> dict[bytes, bytes]:
    """Select fields by name; several lines of one name are joined (RFC 9110, section 5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in names:
            known = found.get(name)
            found[name] = value if known is None else known + b", " + value
    return found


def parse_cache_control(field: bytes | None) -> Directives:
    """Parse a Cache-Control field (RFC 9111, section 5.2)."""
    if field is None:
        return NO_DIRECTIVES
    return _parse_cache_control(field) if len(field) <= MAX_FIELD_BYTES else UNREADABLE


@lru_cache(maxsize=PARSED_FIELDS)
def _parse_cache_control(field: bytes) -> Directives:
    pieces = _PIECE.findall(field) if b'"' in field else field.split(b",")
    return _directives([_directive(piece) for piece in pieces])


def _directive(piece: bytes) -> tuple[bytes, Argument]:
    """Return name and argument, which may be a token or a quoted string (section 5.2)."""
    name, equals, argument = piece.strip(b" \t").partition(b"=")
    if not equals:
        return name.lower(), None
    if name[-1:].isspace() or argument[:1].isspace():
        return name.rstrip().lower(), b""
    if len(argument) > 1 and argument[:1] == argument[-1:] == b'"':
        argument = re.sub(rb"\\(.)", rb"\1", argument[1:-1])
    return name.lower(), argument


def targeted_directives(fields: Fields, names: tuple[str, ...]) -> Directives | None:
    """Parse the first targeted field that is present and valid (RFC 9213, section 2.2).

    Return None if there is none. Empty and malformed fields are skipped. A directive whose value
    has the wrong type is ignored (section 2.1), except that a duration then is 0.
    """
    for name in _lower_bytes(names):
        field = fields.get(name)
        directives = None if field is None else _parse_targeted(field[: MAX_FIELD_BYTES + 1])
        if directives is not None:
            return directives
    return None


@lru_cache(maxsize=PARSED_FIELDS)
def _parse_targeted(field: bytes) -> Directives | None:
    members = dictionary(field) if len(field) <= MAX_FIELD_BYTES else None
    if not members:
        return None
    named = [(name.encode(), value) for name, value in members.items()]
    return _directives(
        [(name, _argument(name, value)) for name, value in named if _has_valid_type(name, value)]
    )


def _has_valid_type(name: bytes, value: object) -> bool:
    """Whether a value has its directive's type; durations pass with any type and become 0."""
    is_names = name in _FLAGS_OR_NAMES and type(value) is str
    return value is True or name in _SECONDS or is_names


def _argument(name: bytes, value: object) -> Argument:
    """Convert a structured value to an argument; a duration has to be an integer."""
    if name in _SECONDS:
        return value if type(value) is int else b""
    return value.encode("latin-1", "replace") if isinstance(value, str) else None


@lru_cache(maxsize=64)
def control_fields(names: tuple[str, ...]) -> frozenset[bytes]:
    """Return the names of Cache-Control and of a policy's targeted fields."""
    return frozenset([b"cache-control", *_lower_bytes(names)])


@lru_cache(maxsize=64)
def _lower_bytes(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple([name.lower().encode("latin-1") for name in names])


def effective_directives(fields: Fields, names: tuple[str, ...]) -> tuple[Directives, bool]:
    """Return the directives for a reply, and whether they come from a targeted field (RFC 9213).

    If they do, Cache-Control and Expires are ignored (section 2.2).
    """
    directives = targeted_directives(fields, names)
    if directives is not None:
        return directives, True
    return parse_cache_control(fields.get(b"cache-control")), False


def _directives(found: Iterable[tuple[bytes, Argument]]) -> Directives:
    values: dict[str, bool | float] = {}
    withheld: set[bytes] = set()
    for name, argument in found:
        attribute = name.decode("latin-1").replace("-", "_")
        if name in _SECONDS:
            _set_duration(values, attribute, _seconds(name, argument))
        elif name in _FLAGS:
            values[attribute] = True
        elif name in _FLAGS_OR_NAMES:
            names = field_names(argument) if isinstance(argument, bytes) else ()
            withheld.update(names)
            if not names or not all(map(_is_token, names)):
                values[attribute] = True
    return Directives(**values, withheld=frozenset(withheld))  # type: ignore[arg-type]  # by name


def _set_duration(values: dict[str, bool | float], name: str, seconds: float) -> None:
    """Set a duration; two different values become 0, which is stale (section 4.2.1)."""
    values[name] = seconds if values.get(name, seconds) == seconds else 0.0


def _seconds(name: bytes, argument: Argument) -> float:
    """Parse a duration (section 1.2.2); a malformed one is 0."""
    if argument is None:
        return inf if name == b"max-stale" else 0.0
    if isinstance(argument, int):
        return min(float(max(argument, 0)), MAX_SECONDS)
    return min(float(argument), MAX_SECONDS) if argument.isdigit() else 0.0


def field_names(field: bytes) -> tuple[bytes, ...]:
    """Parse a list of field names: in lower case, without duplicates."""
    names = (name.strip(b" \t") for name in field.lower().split(b","))
    return tuple(dict.fromkeys(name for name in names if name))


def vary_names(field: bytes | None) -> tuple[bytes, ...] | None:
    """Return the request fields that Vary names, sorted; None if no other request can match.

    None stands for "*" (RFC 9111, section 4.1) and for a malformed list.
    """
    if field is None:
        return ()
    return _vary_names(field) if len(field) <= MAX_FIELD_BYTES else None


@lru_cache(maxsize=PARSED_FIELDS)
def _vary_names(field: bytes) -> tuple[bytes, ...] | None:
    names = field_names(field)
    if b"*" in names or not all(map(_is_token, names)):
        return None
    return tuple(sorted(names))


def parse_age(field: bytes | None) -> float:
    """Parse an Age field: the first member of a list, 0 if invalid (RFC 9111, section 5.1)."""
    if field is None:
        return 0.0
    first = field.partition(b",")[0].strip(b" \t")
    return min(float(first), MAX_SECONDS) if first.isdigit() else 0.0
