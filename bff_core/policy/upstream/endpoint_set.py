"""`EndpointSet`: which endpoint takes a call, and which is ejected for a while."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Generic

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.at_random import AtRandom
from bff_core.policy.upstream.algorithms.interface import Algorithm, Pick
from bff_core.policy.upstream.algorithms.least_requests import LeastRequests
from bff_core.policy.upstream.algorithms.power_of_two import PowerOfTwo
from bff_core.policy.upstream.algorithms.rendezvous import Rendezvous
from bff_core.policy.upstream.algorithms.round_robin import RoundRobin
from bff_core.policy.upstream.balance import AlgorithmName, Balance
from bff_core.policy.upstream.division import Division, divide
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.member import Key, Member, Target

ALGORITHMS: Final[Mapping[AlgorithmName, type[Algorithm]]] = MappingProxyType({
    "power-of-two": PowerOfTwo,
    "least-requests": LeastRequests,
    "round-robin": RoundRobin,
    "random": AtRandom,
    "hash": Rendezvous,
})  # fmt: skip

SLOW_START_STEPS: Final = 20
"""In how many steps the share of an endpoint grows."""


class EndpointSet(Generic[Key, Target]):
    """Balances calls over the endpoints of one upstream, by the algorithm of its policy.

    If more than `max_ejected_ratio` are ejected or down, the fault is probably not theirs, and all
    are used (panic). With `is_checked` active probes report the health of endpoints. `name` returns
    the text that identifies an endpoint in all processes.
    """

    __slots__ = (
        "_algorithm",
        "_all",
        "_choose",
        "_connect",
        "_division",
        "_is_checked",
        "_members",
        "_name",
        "_next_review",
        "_options",
        "_probed",
    )

    def __init__(
        self,
        options: Balance,
        connect: Callable[[Key], Target],
        *,
        name: Callable[[Key], str] = str,
        is_checked: bool = False,
    ) -> None:
        self._options = options
        self._connect = connect
        self._name = name
        self._is_checked = is_checked
        self._algorithm = ALGORITHMS[options.algorithm]()
        self._members: dict[Key, Member[Key, Target]] = {}
        self._all: list[Member[Key, Target]] = []
        self._division: Division[Key, Target] = Division([], [], [])
        self._probed = self._division.probed
        self._choose: Pick[Member[Key, Target]] = self._algorithm.among(self._all)
        self._next_review = math.inf

    def __len__(self) -> int:
        return len(self._all)

    @property
    def keys(self) -> tuple[Key, ...]:
        """All endpoints, ejected ones included."""
        return tuple(self._members)

    @property
    def version(self) -> object:
        """An object that is another one whenever endpoints were added or removed."""
        return self._all

    @property
    def ejected(self) -> tuple[Key, ...]:
        """The endpoints that are ejected or probed by calls."""
        return tuple(m.key for m in self._all if m.ejected_until is not None)

    @property
    def out(self) -> tuple[Key, ...]:
        """The endpoints that are ejected, probed by calls, or down."""
        return tuple(m.key for m in self._all if m.is_out)

    @property
    def is_panicking(self) -> bool:
        """Whether all endpoints are used because so many are out."""
        return self._division.is_panicking

    @property
    def members(self) -> Sequence[Member[Key, Target]]:
        """The endpoints with their states."""
        return tuple(self._all)

    def may_eject(self, member: Member[Key, Target]) -> bool:
        """Whether calls would avoid the endpoint if it were ejected: enough others remain."""
        if len(self) < 2:
            return False
        options = self._options
        return not divide(self._all, options.max_ejected_ratio, 0.0, member).is_panicking

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

    def update(
        self,
        keys: Iterable[Key],
        now: float,
        options: Mapping[Key, EndpointOptions] | None = None,
    ) -> list[Member[Key, Target]]:
        """Replace the endpoints and their options; return the removed ones.

        A new endpoint beside others starts slowly. Where probes report health and an endpoint is up
        by them, a new one is awaited: it gets no calls before its first good probe.
        """
        wanted = dict.fromkeys(keys)
        known = self._members
        is_first = not any(member.weight and not member.is_out for member in self._all)
        has_up = any(member.health == "up" for member in self._all)
        self._members = {
            key: known.get(key) or self._added(key, now, is_first=is_first, has_up=has_up)
            for key in wanted
        }
        gone = [member for key, member in known.items() if key not in wanted]
        for member in gone:
            member.is_gone = True
        self._all = list(self._members.values())
        for key, member in self._members.items():
            _set_options(member, None if options is None else options.get(key))
        self._arrange(now)
        return gone

    def pick(
        self, now: float, chance: Chance, tried: Sequence[object] = (), key: bytes = b""
    ) -> Member[Key, Target] | None:
        """Choose an endpoint for a call: one that is not in `tried`, or else not the last of them.

        `key` is what the algorithm hash goes by. None without endpoints that take calls.
        """
        if now >= self._next_review:
            self._arrange(now)
        if tried:
            return self._algorithm.among(self._elsewhere(tried))(chance, key)
        if self._probed:
            for member in self._probed:
                if not member.in_flight:
                    return member
        choose = self._choose  # a function, not a method: Python calls it faster so
        return choose(chance, key)

    def has_other(self, excluded: Collection[object]) -> bool:
        """Whether an endpoint that may take the call is not in `excluded`."""
        division = self._division
        return any(
            member.key not in excluded
            for part in (division.usable, division.spare)
            for member in part
        )

    def takes(self, member: Member[Key, Target], now: float) -> bool:
        """Whether an endpoint may take a call that belongs to it, also if others get new calls.

        It is there, and not out, or used although it is out (panic), or due for a probe by a call.
        """
        if now >= self._next_review:
            self._arrange(now)
        if member.is_gone:
            return False
        if not member.is_out:
            return True
        if member in self._probed and not member.in_flight:
            return True
        return self.is_panicking and (member in self._division.usable or not member.weight)

    def set_health(self, member: Member[Key, Target], *, is_up: bool, now: float) -> None:
        """Apply what active probes found: the endpoint is up, or down."""
        was_up = member.health in {"", "unknown", "up"} and not member.is_awaited
        member.health = "up" if is_up else "down"
        member.is_awaited = False
        if is_up and not was_up:
            member.warm_from = now
        self._arrange(now)

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

    def _added(self, key: Key, now: float, *, is_first: bool, has_up: bool) -> Member[Key, Target]:
        member = Member(key, self._connect(key), self._name(key))
        if self._is_checked:
            member.health = "unknown"
            member.is_awaited = has_up
        if not is_first:
            member.warm_from = now
        return member

    def _restore(self, member: Member[Key, Target], now: float) -> None:
        member.ejected_until, member.is_forced = None, False
        member.restored_at = member.warm_from = now
        self._arrange(now)

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
        """Divide the endpoints into used, probed and ejected ones, and set their shares."""
        slow_start = self._options.slow_start
        for member in self._all:
            member.set_share(slow_start, now)
        self._division = divide(self._all, self._options.max_ejected_ratio, now)
        self._probed = self._division.probed
        self._choose = self._algorithm.among(self._division.usable)
        ends = [m.ejected_until for m in self._all if m.ejected_until is not None]
        self._next_review = min((end for end in ends if end > now), default=math.inf)
        if slow_start and any(member.is_warming(slow_start, now) for member in self._all):
            self._next_review = min(self._next_review, now + slow_start / SLOW_START_STEPS)

    def _elsewhere(self, tried: Sequence[object]) -> list[Member[Key, Target]]:
        """Return the endpoints for a further attempt: untried ones, of the best priority first."""
        division = self._division
        for part in (division.usable, division.spare):
            untried = [member for member in part if member.key not in tried]
            if untried:
                priority = min(member.priority for member in untried)
                return [member for member in untried if member.priority == priority]
        usable = division.usable
        return [member for member in usable if member.key != tried[-1]] or usable


def _set_options(member: Member[Key, Target], options: EndpointOptions | None) -> None:
    member.weight = 1 if options is None else options.weight
    member.priority = 0 if options is None else options.priority
    member.zone = "" if options is None else options.zone
