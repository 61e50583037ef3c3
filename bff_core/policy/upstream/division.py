"""Which endpoints get calls now: the best priority, panic, and those that calls probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from bff_core.policy.upstream.member import Key, Member, Target


@dataclass(frozen=True, slots=True)
class Division(Generic[Key, Target]):
    """The endpoints by what they are used for.

    Calls go to the `usable` ones. A further attempt may go to a `spare` one, of a higher priority
    number. Those to be `probed` get one call at a time. In panic all of one priority are usable.
    """

    usable: list[Member[Key, Target]]
    spare: list[Member[Key, Target]]
    probed: list[Member[Key, Target]]
    is_panicking: bool = False


def divide(
    members: Sequence[Member[Key, Target]],
    max_out: float,
    now: float,
    assumed_out: Member[Key, Target] | None = None,
) -> Division[Key, Target]:
    """Divide endpoints; `assumed_out` counts as ejected.

    Endpoints of the lowest priority number that has one in order are used. If more than the ratio
    `max_out` of them are out, and no higher number has one in order, the fault is probably not
    theirs, and all of them are used (panic). An awaited endpoint is used only if no other one is in
    order. Drained ones (weight 0) take part in nothing.
    """
    present = [member for member in members if member.weight]
    known = [member for member in present if not member.is_awaited]
    up = [member for member in known if not member.is_out and member is not assumed_out]
    if not up:
        return _without_any_up(present, known, now)
    priority = min(member.priority for member in up)
    level = [member for member in known if member.priority == priority]
    usable = [member for member in up if member.priority == priority]
    spare = [member for member in up if member.priority > priority]
    if not spare and len(level) - len(usable) > max_out * len(level):
        return Division(level, [], [], is_panicking=True)
    return Division(usable, spare, _probed(known, priority, now))


def _without_any_up(
    present: Sequence[Member[Key, Target]], known: Sequence[Member[Key, Target]], now: float
) -> Division[Key, Target]:
    awaited = [member for member in present if member.is_awaited]
    candidates = awaited or known
    priority = min((member.priority for member in candidates), default=0)
    used = [member for member in candidates if member.priority == priority]
    if awaited:
        return Division(used, [], _probed(known, priority, now))
    return Division(used, [], [], is_panicking=bool(used))


def _probed(
    known: Sequence[Member[Key, Target]], priority: int, now: float
) -> list[Member[Key, Target]]:
    return [
        member
        for member in known
        if member.ejected_until is not None
        and member.ejected_until <= now
        and member.health != "down"
        and member.priority <= priority
    ]
