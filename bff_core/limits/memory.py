"""A rate-limit store in the memory of one process."""

from collections.abc import Iterator, Sequence
from itertools import islice

from cachetools import FIFOCache

from bff_core.clock import Clock
from bff_core.limits.interface import CallerLeft, LimitQuery, LimitVerdict, emptiest
from bff_core.policy.edge.rate_limits import (
    UNUSED,
    Limit,
    LimitStatus,
    State,
    charged,
    status_of,
)

MAX_CALLERS = 100_000
"""Callers whose state is stored, which take 49 MiB at most."""


MAX_EXAMINED = 10_000
"""Callers that are examined for operators."""


class MemoryLimitStore:
    """Stores the state of each limit by caller; evicts the callers that were idle for longest."""

    is_shared = False

    def __init__(self, clock: Clock, *, max_callers: int = MAX_CALLERS) -> None:
        self._clock = clock
        self._states: FIFOCache[str, State] = FIFOCache(max_callers)

    def __repr__(self) -> str:
        return f"limits     {len(self._states)} of {self._states.maxsize} callers, in this process"

    async def admit(self, queries: Sequence[LimitQuery]) -> LimitVerdict:
        """Charge one request to each limit, or to none if one of them refuses."""
        now = self._clock()
        before = [status_of(one.limit, self._states.get(one.key, UNUSED), now) for one in queries]
        if any(status.retry_after for status in before):
            return LimitVerdict(is_admitted=False, statuses=before)
        after = [
            self._charge(one, now, 1) if one.limit.cost == "request" else status
            for one, status in zip(queries, before, strict=True)
        ]
        return LimitVerdict(is_admitted=True, statuses=after)

    async def nearly_empty(
        self, limits: Sequence[Limit], share: float, count: int
    ) -> Sequence[CallerLeft]:
        """Return the callers with the least left."""
        return emptiest(self._examined(limits), share, count)

    def _examined(self, limits: Sequence[Limit]) -> Iterator[CallerLeft]:
        by_name, now = {limit.name: limit for limit in limits}, self._clock()
        for key, state in islice(self._states.items(), MAX_EXAMINED):
            name, _, caller = key.partition(":")
            limit = by_name.get(name)
            if limit is not None:
                yield CallerLeft(limit, caller, status_of(limit, state, now))

    async def charge(self, queries: Sequence[LimitQuery], cost: int) -> None:
        """Charge the cost of an answer."""
        now = self._clock()
        for one in queries:
            self._charge(one, now, cost)

    def _charge(self, one: LimitQuery, now: float, cost: int) -> LimitStatus:
        states, key = self._states, one.key
        state = states[key] = charged(one.limit, states.get(key, UNUSED), now, cost)
        return status_of(one.limit, state, now)
