"""Content negotiation: which media type, coding or language a client prefers (RFC 9110, 12)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

# Separators within a quoted string do not end a member or a parameter.
_MEMBER: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^,])+')
_PARAMETER: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^;])+')
MAX_READ_BYTES: Final = 1024
"""Bytes of a field that are read: clients send fewer, and each member takes time."""

_WEIGHT: Final = re.compile(rb"0?\.[0-9]+|[01](?:\.0*)?")


class Preference(NamedTuple):
    """A member of a field such as `Accept`: a name in lower case, and its weight from 0 to 1."""

    name: bytes
    weight: float


@lru_cache(maxsize=256)
def preferences(field: bytes) -> tuple[Preference, ...]:
    """Return the members of a field in their order, without those whose weight is malformed.

    Parameters other than `q` are ignored: no two media types that we offer
    differ by one. Members that end
    beyond `MAX_READ_BYTES` are not read.
    """
    if len(field) > MAX_READ_BYTES:
        field = field[:MAX_READ_BYTES].rpartition(b",")[0]
    members = map(_preference, _MEMBER.findall(field))
    return tuple(one for one in members if one is not None)


def _preference(member: bytes) -> Preference | None:
    name, _, parameters = member.lower().partition(b";")
    weight = b"1"
    for parameter in _PARAMETER.findall(parameters):
        key, _, value = parameter.partition(b"=")
        if key.strip(b" \t") == b"q":
            weight = value.strip(b" \t")
            break  # parameters after `q` are extensions
    is_valid = name.strip() and _WEIGHT.fullmatch(weight)
    return Preference(name.strip(), float(weight)) if is_valid else None


@lru_cache(maxsize=256)
def preferred(accept: bytes, offers: tuple[bytes, ...]) -> bytes | None:
    """Return the media type in `offers` that an `Accept` field prefers; None if it accepts none.

    The most specific range that covers a type gives its weight. Types of equal weight are ranked:
    first those that the field names, in its order; then those that only wildcards cover, in the
    order of `offers`.
    """
    wanted = preferences(accept)
    ranked = [(*_rank(wanted, offer), offer) for offer in offers]
    weight, _, best = max(ranked, key=lambda one: one[:2])
    return best if weight > 0 else None


def _rank(wanted: Sequence[Preference], offer: bytes) -> tuple[float, int]:
    """Return the weight of a media type, and a rank: the earlier it is named, the higher."""
    for name in (offer, offer.partition(b"/")[0] + b"/*", b"*/*"):
        found = [(one.weight, -place) for place, one in enumerate(wanted) if one.name == name]
        if found:
            weight, place = max(found)
            return weight, place if name == offer else -len(wanted)
    return 0.0, -len(wanted)


@lru_cache(maxsize=1024)
def preferred_language(accept_language: bytes, offers: tuple[str, ...]) -> str:
    """Return the language in `offers` that an `Accept-Language` field prefers; else the first.

    A range covers the language that it names, and languages with the same primary subtag: a client
    that prefers "fr-CA" gets "fr". Of languages of equal weight, the one that is named first wins.
    "*" covers those that are not named (RFC 9110, sections 12.4.2 and 12.5.4).
    """
    wanted = preferences(accept_language)
    ranked = [(*_language_rank(wanted, offer.lower().encode("latin-1")), offer) for offer in offers]
    weight, _, _, best = max(ranked, key=lambda one: one[:-1])
    return best if weight > 0 else offers[0]


def _language_rank(wanted: Sequence[Preference], offer: bytes) -> tuple[float, int, bool]:
    """Return the sort key of a language: weight, place in the field, whether named exactly."""
    exact, related = [], []
    for place, one in enumerate(wanted):
        if one.name == offer:
            exact.append((one.weight, -place, True))
        elif one.name.partition(b"-")[0] == offer.partition(b"-")[0]:
            related.append((one.weight, -place, False))
    if exact or related:
        return max(exact or related)
    rest = max([one.weight for one in wanted if one.name == b"*"], default=0.0)
    return rest, -len(wanted), False
