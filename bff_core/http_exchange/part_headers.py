"""Headers about the parts of an answer: `Part-Status`, `Server-Timing`, `Cache-Control`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from bff_core.composition.composition import Composition
from bff_core.composition.part_status import PartStatus, severity

COMPLETE = (b"cache-control", b"private, no-cache")
DEGRADED = (b"cache-control", b"no-store")


def statuses_of(compositions: Sequence[Composition]) -> Sequence[PartStatus]:
    """Return the status of each part; of several parts with one name, the worst."""
    if len(compositions) == 1:
        return tuple(compositions[0].part_registry.statuses())
    worst: dict[str, PartStatus] = {}
    for composition in compositions:
        for one in composition.part_registry.statuses():
            known = worst.get(one.name)
            if known is None or severity(one.state, one.age) > severity(known.state, known.age):
                worst[one.name] = one
    return tuple(worst.values())


def cache_headers_of(statuses: Sequence[PartStatus]) -> list[tuple[bytes, bytes]]:
    """Return the `Cache-Control` and `Age` of an answer; a degraded answer must not be stored.

    Only the view cache knows for how long a complete answer is fresh.
    """
    if any(one.is_degraded for one in statuses):
        return [DEGRADED]
    age = int(max((one.age for one in statuses), default=0.0))
    return [COMPLETE, (b"age", b"%d" % age)] if age else [COMPLETE]


def part_status(statuses: Iterable[PartStatus]) -> bytes:
    """Return the `Part-Status` field: an RFC 9651 dictionary from part to state."""
    return ", ".join([_member(one) for one in statuses]).encode()


@lru_cache(maxsize=1024)
def part_status_ok(names: tuple[str, ...]) -> bytes:
    """Return the `Part-Status` field of parts that all succeeded; names may repeat."""
    return ", ".join(f"{name.lower()}=ok" for name in dict.fromkeys(names)).encode()


def _member(one: PartStatus) -> str:
    member = f"{one.name.lower()}={one.state}"
    if one.reason:
        member += f";reason={one.reason}"
    if one.age:
        member += f";age={int(one.age)}"
    return member


def server_timing(statuses: Iterable[PartStatus]) -> bytes:
    """Return the `Server-Timing` field: each part's duration in milliseconds.

    One that is not ok has its state and reason: `reviews;dur=400.1;desc="missing: timeout"`.
    """
    return ", ".join([_timing(one) for one in statuses]).encode()


def _timing(one: PartStatus) -> str:
    member = f"{one.name};dur={one.duration * 1000:.1f}"
    if one.state == "ok":
        return member
    why = f"{one.state}: {one.reason}" if one.reason else one.state
    return f'{member};desc="{why}"'


def parts_report(statuses: Iterable[PartStatus]) -> dict[str, dict[str, object]]:
    """Return the status of each part, with its age in seconds and its reason code, if any."""
    return {
        one.name: {"status": one.state}
        | ({"age": int(one.age)} if one.age else {})
        | ({"reason": one.reason} if one.reason else {})
        for one in statuses
    }
