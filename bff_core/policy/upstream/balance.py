"""Load balancing: which endpoint takes a call, and which is ejected for a while."""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from bff_core.clock import Chance
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

Key = TypeVar("Key")
Target = TypeVar("Target")


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How calls are spread over the endpoints of an upstream; durations in seconds."""

    ejection_failures: Annotated[
        int, Option("How many failures in a row eject an endpoint", 1, 1000)
    ] = 5
    eject_for: Annotated[
        float,
        Option("How long the first ejection lasts; each further one is longer by it", 0.01, 3600),
    ] = 10.0
    eject_for_max: Annotated[
        float, Option("How long an endpoint is ejected at most", 0.01, 86_400)
    ] = 300.0
    max_ejected_ratio: Annotated[
        float, Option("Beyond which ejected share all endpoints are used (panic)", 0, 1)
    ] = 0.5
    resolve_every: Annotated[float, Option("How often a name is resolved", 0.1, 86_400)] = 30.0
    last_good_for: Annotated[
        float, Option("How long addresses stay in use while the resolver fails", 0, 604_800)
    ] = 600.0

    def __post_init__(self) -> None:
        check(self)
        if self.eject_for_max < self.eject_for:
            raise ConfigurationError("Balance.eject_for_max must be at least Balance.eject_for")


class Member(Generic[Key, Target]):
    """The state of one endpoint: its target, load and failures.

    An endpoint is healthy, ejected or probed: after an ejection it gets one call at a time until
    one succeeds. `is_forced` is whether an operator ejected it.
    """

    __slots__ = (
        "ejected_until",
        "failures",
        "in_flight",
        "is_forced",
        "is_gone",
        "key",
        "repeats",
        "restored_at",
        "target",
    )

    def __init__(self, key: Key, target: Target) -> None:
        self.key = key
        self.target = target
        self.in_flight = 0
        self.failures = 0
        self.repeats = 0
        self.restored_at = 0.0
        self.ejected_until: float | None = None
        self.is_forced = False
        self.is_gone = False


class EndpointSet(Generic[Key, Target]):
    """Balances calls over the endpoints of one upstream.

    It takes the less busy one of two random endpoints ("The power of two choices in randomized load
    balancing", Mitzenmacher 2001). If more than `max_ejected_ratio` are ejected, the fault is
    probably not theirs, and all are used (panic).
    """

    __slots__ = ("_all", "_connect", "_members", "_next_review", "_options", "_probed", "_usable")

    def __init__(self, options: Balance, connect: Callable[[Key], Target]) -> None:
        self._options = options
        self._connect = connect
        self._members: dict[Key, Member[Key, Target]] = {}
        self._all: list[Member[Key, Target]] = []
        self._usable: list[Member[Key, Target]] = []
        self._probed: list[Member[Key, Target]] = []
        self._next_review = math.inf

    def __len__(self) -> int:
        return len(self._all)

    @property
    def keys(self) -> tuple[Key, ...]:
        """All endpoints, ejected ones included."""
        return tuple(self._members)

    @property
    def ejected(self) -> tuple[Key, ...]:
        """The endpoints that are ejected or probed."""
        return tuple(m.key for m in self._all if m.ejected_until is not None)

    @property
    def is_panicking(self) -> bool:
        """Whether all endpoints are used because so many are ejected."""
        ejected = len(self.ejected)
        return ejected > self._options.max_ejected_ratio * len(self) or ejected == len(self)

    @property
    def members(self) -> Sequence[Member[Key, Target]]:
        """The endpoints with their states."""
        return tuple(self._all)

    def may_eject(self, member: Member[Key, Target]) -> bool:
        """Whether calls would avoid the endpoint if it were ejected: enough others remain."""
        ejected = len({*self.ejected, member.key})
        return ejected <= self._options.max_ejected_ratio * len(self) and ejected < len(self)

    def force_eject(self, member: Member[Key, Target], now: float, seconds: float) -> None:
        """Eject an endpoint for some seconds, as an operator demands; or change that time."""
        member.failures, member.is_forced = 0, True
        member.ejected_until = now + seconds
        self._arrange(now)

    def restore(self, member: Member[Key, Target], now: float) -> bool:
        """End an ejection at once, as an operator demands; return False if there is none."""
        if member.ejected_until is None:
            return False
        self._restore(member, now)
        return True

    def update(self, keys: Iterable[Key], now: float) -> list[Member[Key, Target]]:
        """Replace the endpoints; return the removed ones."""
        wanted = dict.fromkeys(keys)
        gone = [member for key, member in self._members.items() if key not in wanted]
        for member in gone:
            member.is_gone = True
        known = self._members
        self._members = {
            key: known[key] if key in known else Member(key, self._connect(key)) for key in wanted
        }
        self._all = list(self._members.values())
        self._arrange(now)
        return gone

    def pick(
        self, now: float, chance: Chance, tried: Sequence[object] = ()
    ) -> Member[Key, Target] | None:
        """Choose an endpoint for a call: one that is not in `tried`, or else not the last of them.

        None without endpoints.
        """
        if now >= self._next_review:
            self._arrange(now)
        if self._probed and not tried:
            for member in self._probed:
                if not member.in_flight:
                    return member
        usable = _elsewhere(self._usable, tried) if tried else self._usable
        return _less_busy_of_two(usable, chance)

    def has_other(self, excluded: Collection[object]) -> bool:
        """Whether a usable endpoint is not in `excluded`."""
        return any(member.key not in excluded for member in self._usable)

    def succeed(self, member: Member[Key, Target], now: float) -> bool:
        """Record a success; return True when it restored an ejected endpoint.

        A success during the ejection is one of an earlier call, and does not end it. In panic mode
        ejected endpoints are used as well: there the success counts.
        """
        member.failures = 0
        if member.ejected_until is None or (now < member.ejected_until and not self.is_panicking):
            return False
        self._restore(member, now)
        return True

    def _restore(self, member: Member[Key, Target], now: float) -> None:
        member.ejected_until, member.is_forced = None, False
        member.restored_at = now
        self._arrange(now)

    def fail(self, member: Member[Key, Target], now: float) -> float | None:
        """Record a failure; return for how many seconds it ejects the endpoint, or None."""
        if member.is_gone or len(self) < 2:
            return None
        if member.ejected_until is not None:
            return self._eject(member, now) if now >= member.ejected_until else None
        member.failures += 1
        if member.failures < self._options.ejection_failures:
            return None
        return self._eject(member, now)

    def _eject(self, member: Member[Key, Target], now: float) -> float | None:
        options = self._options
        if member.ejected_until is None:  # healthy time lowers the count of repeats
            healthy = int((now - member.restored_at) / options.eject_for)
            member.repeats = max(0, member.repeats - healthy)
        member.failures, member.is_forced = 0, False
        member.repeats += 1
        duration = min(options.eject_for * member.repeats, options.eject_for_max)
        member.ejected_until = now + duration
        self._arrange(now)
        return None if self.is_panicking else duration

    def _arrange(self, now: float) -> None:
        """Divide the endpoints into used, probed and ejected ones."""
        healthy = [member for member in self._all if member.ejected_until is None]
        out = [(member.ejected_until, member) for member in self._all]
        waiting = [until for until, _ in out if until is not None and until > now]
        self._next_review = min(waiting, default=math.inf)
        if self.is_panicking:
            self._usable, self._probed = self._all, []
            return
        self._usable = healthy
        self._probed = [member for until, member in out if until is not None and until <= now]


def _elsewhere(
    members: list[Member[Key, Target]], tried: Sequence[object]
) -> list[Member[Key, Target]]:
    untried = [member for member in members if member.key not in tried]
    return untried or [member for member in members if member.key != tried[-1]] or members


def _less_busy_of_two(
    members: list[Member[Key, Target]], chance: Chance
) -> Member[Key, Target] | None:
    count = len(members)
    if count < 2:
        return members[0] if members else None
    first = int(chance() * count)
    second = int(chance() * (count - 1))
    one, other = members[first], members[second + (second >= first)]
    return one if one.in_flight <= other.in_flight else other
