"""A rate-limit store in Redis, for all processes of a gateway."""

from collections.abc import Sequence
from typing import Final

from bff_core.clock import Clock
from bff_core.errors import StoreUnavailable
from bff_core.limits.interface import CallerLeft, LimitQuery, LimitStore, LimitVerdict, emptiest
from bff_core.policy.edge.rate_limits import Limit, State, status_of
from bff_core.redis.interface import RedisInterface, Value
from bff_core.redis.scan import SCAN_SECONDS, scanned

PAUSE_SECONDS: Final = 0.1
"""Seconds without commands after a failure, so that a request waits for Redis once at most."""

# The arithmetic of `policy.edge.rate_limits`, as one atomic script. It uses the clock of Redis,
# because those of the processes differ. A state is a hash of three numbers; it expires when it
# equals that of a new caller.
# ARGV: whether a limit may refuse, and per key: strategy, quota, capacity, per (seconds), cost.
# Returns the time, whether the costs were charged, and the states.
SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local states, refused = {}, false

local function counts(state, per)
  local passed = math.floor(now / per) - state[1]
  if passed == 0 then return state[2], state[3] end
  if passed == 1 then return state[3], 0 end
  return 0, 0
end

for i, key in ipairs(KEYS) do
  local found = redis.call('HMGET', key, 'a', 'b', 'c')
  local state = {tonumber(found[1]) or 0, tonumber(found[2]) or 0, tonumber(found[3]) or 0}
  local at = 2 + (i - 1) * 5
  local quota, most, per = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local left
  if ARGV[at] == 'bucket' then
    -- A clock that was set back must not block a caller for longer than the largest debt.
    state[1] = math.min(state[1], now + 2 * most * per / quota)
    left = most - math.max(0, state[1] - now - 0.000002) * quota / per
  else
    local previous, current = counts(state, per)
    left = quota - previous * (1 - (now % per) / per) - current
  end
  if left + 1e-9 < 1 then refused = true end
  states[i] = state
end

local taken = ARGV[1] == '0' or not refused
for i, key in ipairs(KEYS) do
  local state, at = states[i], 2 + (i - 1) * 5
  local quota, most, per = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local cost = tonumber(ARGV[at + 4])
  if taken and cost > 0 then
    local expiry
    if ARGV[at] == 'bucket' then
      local full = math.max(state[1], now) + cost * per / quota
      state = {math.min(full, now + 2 * most * per / quota), 0, 0}
      expiry = state[1] - now
    else
      local previous, current = counts(state, per)
      state = {math.floor(now / per), previous, math.min(current + cost, 2 * quota)}
      expiry = 2 * per
    end
    local a = string.format('%.6f', state[1])
    redis.call('HSET', key, 'a', a, 'b', state[2], 'c', state[3])
    redis.call('PEXPIRE', key, math.max(1, math.ceil(expiry * 1000)))
  end
  states[i] = {string.format('%.6f', state[1]), state[2], state[3]}
end
return {string.format('%.6f', now), taken and 1 or 0, states}
"""


STATES: Final = """
local time = redis.call('TIME')
local states = {}
for i = 1, #KEYS do states[i] = redis.call('HMGET', KEYS[i], 'a', 'b', 'c') end
return {string.format('%.6f', time[1] + time[2] / 1000000), states}
"""

MAX_EXAMINED: Final = 1000
"""Callers that are examined for operators."""

MAX_VISITED: Final = 20_000
"""Keys of any kind that are visited to find those of callers."""


class RedisLimitStore:
    """Stores the states of one gateway in Redis; uses a `local` store while Redis is down."""

    is_shared = True

    def __init__(
        self, link: RedisInterface, local: LimitStore, *, gateway: str, clock: Clock
    ) -> None:
        self._link = link
        self._local = local
        self._prefix = link.prefix(f"limits:{gateway}")
        self._clock = clock
        self._paused_until = 0.0

    def __repr__(self) -> str:
        return f"limits     in {self._link.name}; while it is away {self._local!r}"

    async def admit(self, queries: Sequence[LimitQuery]) -> LimitVerdict:
        """Charge one request to each limit, or to none if one of them refuses."""
        costs = [1 if one.limit.cost == "request" else 0 for one in queries]
        found = await self._run(queries, costs, may_refuse=True)
        if found is None:
            return await self._local.admit(queries)
        now, is_admitted, states = found
        rows = zip(queries, states, strict=True)
        return LimitVerdict(is_admitted, [status_of(one.limit, state, now) for one, state in rows])

    async def nearly_empty(
        self, limits: Sequence[Limit], share: float, count: int
    ) -> Sequence[CallerLeft]:
        """Return the callers with the least left; raises `StoreUnavailable`."""
        scan = await scanned(self._link, self._prefix, limit=MAX_EXAMINED, visited=MAX_VISITED)
        by_name = {limit.name: limit for limit in limits}
        names = [name for name in scan.names if name.partition(":")[0] in by_name]
        if not names:
            return []
        keys = [f"{self._prefix}{name}" for name in names]
        found: list[CallerLeft] = []
        match await self._link.script(STATES, keys, within=SCAN_SECONDS):
            case [bytes(now), list(states)]:
                for name, (a, b, c) in zip(names, states, strict=True):
                    limit, _, caller = name.partition(":")
                    state = float(a or 0), int(b or 0), int(c or 0)
                    status = status_of(by_name[limit], state, float(now))
                    found.append(CallerLeft(by_name[limit], caller, status))
        return emptiest(found, share, count)

    async def charge(self, queries: Sequence[LimitQuery], cost: int) -> None:
        """Charge the cost of an answer."""
        if await self._run(queries, [cost] * len(queries), may_refuse=False) is None:
            await self._local.charge(queries, cost)

    async def _run(
        self, queries: Sequence[LimitQuery], costs: Sequence[int], *, may_refuse: bool
    ) -> tuple[float, bool, list[State]] | None:
        """Run the script; return None if Redis fails, or has just failed."""
        if self._clock() < self._paused_until:
            return None
        args: list[Value] = ["1" if may_refuse else "0"]
        for one, cost in zip(queries, costs, strict=True):
            limit = one.limit
            args += (limit.strategy, limit.quota, limit.capacity, limit.per, cost)
        keys = [f"{self._prefix}{one.key}" for one in queries]
        try:
            reply = await self._link.script(SCRIPT, keys, args)
        except StoreUnavailable:
            self._paused_until = self._clock() + PAUSE_SECONDS
            return None
        match reply:
            case [bytes(now), int(taken), list(states)]:
                return float(now), taken == 1, [(float(a), int(b), int(c)) for a, b, c in states]
        raise StoreUnavailable(self._link.name, f"returned {reply!r} for limits")
