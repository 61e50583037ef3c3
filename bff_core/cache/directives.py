"""What header fields say about reuse: Cache-Control and its targeted kin, Age, Vary.

Read as RFC 9111, section 4.2.1, requires: of what contradicts itself or can't be read, the reply is
taken to be stale rather than fresh.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final

from bff_core.cache.structured_fields import dictionary
from bff_core.call import Headers

LONGEST: Final = 2.0**31
"""The most seconds that a directive may say (RFC 9111, section 1.2.2)."""

READABLE: Final = 1024
"""The most bytes of a field that are read; a service that sends more is taken to say no-store."""

REMEMBERED: Final = 1024
"""So many values are parsed once; services send the same few over and over."""

Fields = Mapping[bytes, bytes]
"""Header fields by lower-case name; several lines of one name are joined by commas."""


@dataclass(frozen=True, slots=True)
class Directives:
    """What a Cache-Control field says (RFC 9111, section 5.2; RFC 5861; RFC 8246).

    Durations in seconds; None is unsaid. `no_cache` and `private` are about the whole reply, their
    qualified forms (`no-cache="a, b"`) are the names in `withheld`, of fields that are not to be
    stored. `max_stale` is infinite where the request names no bound.
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


NOTHING_SAID: Final = Directives()
UNREADABLE: Final = Directives(no_store=True)

_PIECE: Final = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+', re.DOTALL)
_is_token: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_FLAGS: Final = {
    b"no-store": "no_store",
    b"public": "public",
    b"must-revalidate": "must_revalidate",
    b"proxy-revalidate": "proxy_revalidate",
    b"must-understand": "must_understand",
    b"immutable": "immutable",
}
_FLAGS_OR_NAMES: Final = {b"no-cache": "no_cache", b"private": "private"}
_SECONDS: Final = {
    b"max-age": "max_age",
    b"s-maxage": "s_maxage",
    b"stale-while-revalidate": "stale_while_revalidate",
    b"stale-if-error": "stale_if_error",
    b"min-fresh": "min_fresh",
    b"max-stale": "max_stale",
}

Argument = bytes | int | None
"""What follows a directive: nothing, text, or a number; empty text where it is malformed."""


def fields_of(headers: Headers, names: frozenset[bytes]) -> dict[bytes, bytes]:
    """Return the fields of these names that are there, lines joined (RFC 9110, section 5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in names:
            known = found.get(name)
            found[name] = value if known is None else known + b", " + value
    return found


def parse_cache_control(field: bytes | None) -> Directives:
    """Return what a Cache-Control field says (RFC 9111, section 5.2)."""
    if field is None:
        return NOTHING_SAID
    return _cache_control(field) if len(field) <= READABLE else UNREADABLE


@lru_cache(maxsize=REMEMBERED)
def _cache_control(field: bytes) -> Directives:
    pieces = _PIECE.findall(field) if b'"' in field else field.split(b",")
    return _directives([_directive(piece) for piece in pieces])


def _directive(piece: bytes) -> tuple[bytes, Argument]:
    """Return name and argument, with or without quotes: both forms are accepted (section 5.2)."""
    name, equals, argument = piece.strip(b" \t").partition(b"=")
    if not equals:
        return name.lower(), None
    if name[-1:].isspace() or argument[:1].isspace():
        return name.rstrip().lower(), b""
    if len(argument) > 1 and argument[:1] == argument[-1:] == b'"':
        argument = re.sub(rb"\\(.)", rb"\1", argument[1:-1])
    return name.lower(), argument


def targeted(fields: Fields, names: tuple[str, ...]) -> Directives | None:
    """Return what the first targeted field says that is there and valid (RFC 9213, section 2.2).

    None where there is none. An empty or malformed field is as if it were not there. A value of
    another type than the directive's is not obeyed (section 2.1): such a lifetime is 0.
    """
    for name in _encoded(names):
        field = fields.get(name)
        if field is not None and (found := _targeted(field[: READABLE + 1])) is not None:
            return found
    return None


@lru_cache(maxsize=REMEMBERED)
def _targeted(field: bytes) -> Directives | None:
    members = dictionary(field) if len(field) <= READABLE else None
    if not members:
        return None
    said = [(name.encode(), value) for name, value in members.items()]
    return _directives(
        [(name, _argument(name, value)) for name, value in said if _is_obeyed(name, value)]
    )


def _is_obeyed(name: bytes, value: object) -> bool:
    """Whether a value is of its directive's type; a lifetime counts in any case, as 0."""
    is_names = name in _FLAGS_OR_NAMES and type(value) is str
    return value is True or name in _SECONDS or is_names


def _argument(name: bytes, value: object) -> Argument:
    """Return a structured value as an argument; of a number's directive only an integer is one."""
    if name in _SECONDS:
        return value if type(value) is int else b""
    return value.encode("latin-1", "replace") if isinstance(value, str) else None


@lru_cache(maxsize=64)
def control_fields(names: tuple[str, ...]) -> frozenset[bytes]:
    """Return Cache-Control and the targeted fields of a policy; policies are few."""
    return frozenset([b"cache-control", *_encoded(names)])


@lru_cache(maxsize=64)
def _encoded(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple([name.lower().encode("latin-1") for name in names])


def governing(fields: Fields, names: tuple[str, ...]) -> tuple[Directives, bool]:
    """Return what governs a reply's reuse, and whether a targeted field said it (RFC 9213).

    Where one did, Cache-Control and Expires are not consulted (section 2.2).
    """
    said = targeted(fields, names)
    if said is not None:
        return said, True
    return parse_cache_control(fields.get(b"cache-control")), False


def _directives(found: Iterable[tuple[bytes, Argument]]) -> Directives:
    said: dict[str, bool | float] = {}
    withheld: set[bytes] = set()
    for name, argument in found:
        if name in _SECONDS:
            _say(said, _SECONDS[name], _seconds(name, argument))
        elif name in _FLAGS:
            said[_FLAGS[name]] = True
        elif name in _FLAGS_OR_NAMES:
            names = names_in(argument) if isinstance(argument, bytes) else ()
            withheld.update(names)
            if not names or not all(map(_is_token, names)):
                said[_FLAGS_OR_NAMES[name]] = True
    return Directives(**said, withheld=frozenset(withheld))  # type: ignore[arg-type]  # by name


def _say(said: dict[str, bool | float], name: str, seconds: float) -> None:
    """Note a duration; of two that differ, neither counts (section 4.2.1)."""
    said[name] = seconds if said.get(name, seconds) == seconds else 0.0


def _seconds(name: bytes, argument: Argument) -> float:
    """Return a duration (section 1.2.2); what is none is 0: stale at once, or no window."""
    if argument is None:
        return inf if name == b"max-stale" else 0.0
    if isinstance(argument, int):
        return min(float(max(argument, 0)), LONGEST)
    return min(float(argument), LONGEST) if argument.isdigit() else 0.0


def names_in(field: bytes) -> tuple[bytes, ...]:
    """Return the names that a list of fields holds, in lower case, each once."""
    names = (name.strip(b" \t") for name in field.lower().split(b","))
    return tuple(dict.fromkeys(name for name in names if name))


def varying(field: bytes | None) -> tuple[bytes, ...] | None:
    """Return the request fields that Vary names, sorted; None where no other request matches.

    That is the case for "*" (RFC 9111, section 4.1), and for what is no list of names.
    """
    if field is None:
        return ()
    return _varying(field) if len(field) <= READABLE else None


@lru_cache(maxsize=REMEMBERED)
def _varying(field: bytes) -> tuple[bytes, ...] | None:
    names = names_in(field)
    if b"*" in names or not all(map(_is_token, names)):
        return None
    return tuple(sorted(names))


def age_of(field: bytes | None) -> float:
    """Return what an Age field says: the first member of a list, 0 if invalid (section 5.1)."""
    if field is None:
        return 0.0
    first = field.partition(b",")[0].strip(b" \t")
    return min(float(first), LONGEST) if first.isdigit() else 0.0
