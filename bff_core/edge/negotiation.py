"""Content negotiation: which of several forms a client prefers (RFC 9110, section 12)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

# A member or a parameter ends at its separator, unless that stands in a quoted string.
_MEMBER: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^,])+')
_PARAMETER: Final = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^;])+')
_WEIGHT: Final = re.compile(rb"0?\.[0-9]+|[01](?:\.0*)?")


class Preference(NamedTuple):
    """A member of a field such as `Accept`: a name in lower case, and its weight from 0 to 1."""

    name: bytes
    weight: float


@lru_cache(maxsize=256)
def preferences(field: bytes) -> tuple[Preference, ...]:
    """Return the members of a field in their order; one with a malformed weight is left out.

    Parameters other than `q` are ignored: no two of our forms differ by one.
    """
    members = map(_preference, _MEMBER.findall(field))
    return tuple(one for one in members if one is not None)


def _preference(member: bytes) -> Preference | None:
    name, _, parameters = member.lower().partition(b";")
    weight = b"1"
    for parameter in _PARAMETER.findall(parameters):
        key, _, value = parameter.strip(b" \t").partition(b"=")
        if key == b"q":
            weight = value
            break  # what follows it describes no media type
    is_valid = name.strip() and _WEIGHT.fullmatch(weight)
    return Preference(name.strip(), float(weight)) if is_valid else None


@lru_cache(maxsize=256)
def preferred(accept: bytes, offers: tuple[bytes, ...]) -> bytes | None:
    """Return the media type of `offers` that an `Accept` field prefers; None where it takes none.

    The most specific range that covers a type gives its weight. Of equal weights, a type that is
    named goes before one that a wildcard covers, and the one that is named first before the next;
    of types that only wildcards cover, the one that is offered first.
    """
    wanted = preferences(accept)
    ranked = [(*_rank(wanted, offer), offer) for offer in offers]
    weight, _, best = max(ranked, key=lambda one: one[:2])
    return best if weight > 0 else None


def _rank(wanted: Sequence[Preference], offer: bytes) -> tuple[float, int]:
    """Return the weight of a media type, and a number that is higher the earlier it is named."""
    for name in (offer, offer.partition(b"/")[0] + b"/*", b"*/*"):
        found = [(one.weight, -place) for place, one in enumerate(wanted) if one.name == name]
        if found:
            weight, place = max(found)
            return weight, place if name == offer else -len(wanted)
    return 0.0, -len(wanted)
