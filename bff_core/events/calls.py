"""Events of calls to services."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from bff_core.events.sinks import Event, Span


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    """A call to an upstream started; only for sinks that trace."""

    name: ClassVar[str] = "call.started"
    method: str


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """A call ended: `outcome` is a status, an error code or `cancelled`; only for sinks that trace.

    `source` is upstream, cache or stale; empty where there is no reply. `duration` is in seconds;
    that of a streamed reply is the time until its head.
    """

    name: ClassVar[str] = "call.ended"
    outcome: str
    source: str
    duration: float


@dataclass(frozen=True, slots=True)
class AttemptStarted(Event):
    """An attempt of a call is sent to an endpoint; only for sinks that trace."""

    name: ClassVar[str] = "attempt.started"
    endpoint: str


@dataclass(frozen=True, slots=True)
class Attempted(Event):
    """An attempt ended: `outcome` is a status or an error code, `duration` in seconds."""

    name: ClassVar[str] = "attempt.ended"
    endpoint: str
    outcome: str
    duration: float


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """Another attempt will start after `delay` seconds."""

    name: ClassVar[str] = "retry.scheduled"
    attempt: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class RetryRefused(Event):
    """A failure was not retried: `reason` is budget, deadline or retry_after."""

    name: ClassVar[str] = "retry.refused"
    reason: str


@dataclass(frozen=True, slots=True)
class Hedged(Event):
    """A second call was sent, since the first takes longer than most."""

    name: ClassVar[str] = "hedge.sent"


@dataclass(frozen=True, slots=True)
class HedgeWon(Event):
    """A second call was answered before the slow first one."""

    name: ClassVar[str] = "hedge.won"


@dataclass(frozen=True, slots=True)
class HedgeRefused(Event):
    """A call was slow and not sent a second time: `reason` is budget."""

    name: ClassVar[str] = "hedge.refused"
    reason: str


@dataclass(frozen=True, slots=True)
class BreakerChanged(Event):
    """A circuit breaker changed its state; `retry_after` is in seconds when it opened."""

    name: ClassVar[str] = "breaker.changed"
    state: Literal["closed", "open", "half-open"]
    retry_after: float


@dataclass(frozen=True, slots=True)
class CallRejected(Event):
    """A call was rejected before it was sent: `reason` is circuit_open, bulkhead_full or queue."""

    name: ClassVar[str] = "call.rejected"
    reason: str


@dataclass(frozen=True, slots=True)
class LimitMoved(Event):
    """The adaptive limit of a bulkhead changed, by a call of the operation."""

    name: ClassVar[str] = "bulkhead.resized"
    limit: int


@dataclass(frozen=True, slots=True)
class Unauthorized(Event):
    """A service refused the credentials of a call; `is_sent_again` is whether others are tried."""

    name: ClassVar[str] = "credentials.refused"
    is_sent_again: bool


@dataclass(frozen=True, slots=True)
class LocationDropped(Event):
    """A reply's Location is not in the upstream's `locations`, and is dropped."""

    name: ClassVar[str] = "location.dropped"
    location: str


@dataclass(frozen=True, slots=True)
class TokenRefused(Event):
    """A token endpoint issued no token; `reason` is its error code if that is a known one."""

    name: ClassVar[str] = "token.refused"
    reason: str


@dataclass(frozen=True, slots=True)
class Coalesced(Event):
    """A call waits for an equal one that is running: `leader`, if a sink traces."""

    name: ClassVar[str] = "call.coalesced"
    leader: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CacheLookup(Event):
    """A cache looked an entry up, or stored one; `age` is that of the served entry in seconds.

    For the view cache `upstream` is "views" and `operation` is the route.
    """

    name: ClassVar[str] = "cache.looked_up"
    outcome: Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
    reason: str = ""
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class ReplyReduced(Event):
    """Tolerant reading omitted values of a reply.

    `lost` are the paths and reasons of the first ones (`$.items[3].status: an unknown member`),
    without the values; `count` is how many there are.
    """

    name: ClassVar[str] = "reply.reduced"
    lost: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Ejected(Event):
    """An endpoint was ejected: it gets no calls for `duration` seconds."""

    name: ClassVar[str] = "endpoint.ejected"
    endpoint: str
    duration: float


@dataclass(frozen=True, slots=True)
class Restored(Event):
    """An ejected endpoint gets calls again."""

    name: ClassVar[str] = "endpoint.restored"
    endpoint: str


@dataclass(frozen=True, slots=True)
class Resolved(Event):
    """The endpoints of an upstream changed, or DNS lookups failed (`error`)."""

    name: ClassVar[str] = "endpoints.resolved"
    endpoints: tuple[str, ...]
    error: str = ""
