"""What happens to calls to services."""

from dataclasses import dataclass
from typing import Literal

from bff_core.events.sinks import Event


@dataclass(frozen=True, slots=True)
class Attempted(Event):
    """An attempt ended: `outcome` is a status or an error code, `duration` in seconds."""

    endpoint: str
    outcome: str
    duration: float


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """A further attempt will start after `delay` seconds."""

    attempt: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class RetryRefused(Event):
    """A failure was not retried: `reason` is budget, deadline or retry_after."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hedged(Event):
    """A second call is sent, since the first takes longer than most."""


@dataclass(frozen=True, slots=True)
class HedgeWon(Event):
    """The second call of a slow one was answered first."""


@dataclass(frozen=True, slots=True)
class HedgeRefused(Event):
    """A call was slow and not sent a second time: `reason` is budget."""

    reason: str


@dataclass(frozen=True, slots=True)
class BreakerChanged(Event):
    """The breaker moved; `retry_after` is in seconds when it opened."""

    state: Literal["closed", "open", "half-open"]
    retry_after: float


@dataclass(frozen=True, slots=True)
class CallRejected(Event):
    """A call was refused before it was sent: `reason` is circuit_open, bulkhead_full or queue."""

    reason: str


@dataclass(frozen=True, slots=True)
class LimitMoved(Event):
    """The adaptive limit of the bulkhead moved; the operation is that of the call that moved it."""

    limit: int


@dataclass(frozen=True, slots=True)
class Unauthorized(Event):
    """A service refused what a call showed; it `is_sent_again` with something else, or not."""

    is_sent_again: bool


@dataclass(frozen=True, slots=True)
class LocationDropped(Event):
    """A reply names a place that the upstream's `locations` do not: clients do not learn of it."""

    location: str


@dataclass(frozen=True, slots=True)
class TokenRefused(Event):
    """A provider, the upstream, gave no token: `reason` is a word, its own if it is a known one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Coalesced(Event):
    """A call joined a flight that was under way."""


@dataclass(frozen=True, slots=True)
class CacheLookup(Event):
    """A cache was asked or told: `reason` is a word, `age` that of what was served (seconds).

    Of the view cache `upstream` is "views" and `operation` the route.
    """

    outcome: Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
    reason: str = ""
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class ReplyReduced(Event):
    """Tolerant reading left something out of a reply.

    `lost` names the first places and why (`$.items[3].status: an unknown member`), never a value;
    `count` is how many there are.
    """

    lost: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Ejected(Event):
    """An endpoint gets no calls for `duration` seconds."""

    endpoint: str
    duration: float


@dataclass(frozen=True, slots=True)
class Restored(Event):
    """An ejected endpoint gets calls again."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class Resolved(Event):
    """The endpoints of an upstream changed, or could not be resolved (`error`)."""

    endpoints: tuple[str, ...]
    error: str = ""
