"""Events of calls to services."""

from typing import ClassVar, Literal

from bff_core.events.sinks import Event, Span


class CallStarted(Event, frozen=True):
    """A call to an upstream started; only for sinks that trace."""

    name: ClassVar[str] = "call.started"
    method: str


class CallEnded(Event, frozen=True):
    """A call ended: `outcome` is a status, an error code or `cancelled`; only for sinks that trace.

    Sinks that count also get it for a call outside of requests.
    `source` is upstream, cache or stale; empty where there is no reply. `duration` is in seconds;
    that of a streamed reply is the time until its head. `size` counts the bytes of a reply's body,
    and is 0 for a streamed one.
    """

    name: ClassVar[str] = "call.ended"
    outcome: str
    source: str
    duration: float
    size: int = 0


class StreamEnded(Event, frozen=True):
    """The body of a streamed reply ended: `outcome` is `whole`, `closed` or an error code.

    `size` counts the bytes that were read; `duration` is in seconds, from the head of the reply.
    """

    name: ClassVar[str] = "stream.ended"
    outcome: str
    size: int
    duration: float


class AttemptStarted(Event, frozen=True):
    """An attempt of a call is sent to an endpoint; only for sinks that trace.

    `url` is the base URL of the endpoint.
    """

    name: ClassVar[str] = "attempt.started"
    endpoint: str
    url: str = ""


class Attempted(Event, frozen=True):
    """An attempt ended: `outcome` is a status or an error code, `duration` in seconds."""

    name: ClassVar[str] = "attempt.ended"
    endpoint: str
    outcome: str
    duration: float


class Retried(Event, frozen=True):
    """Another attempt will start after `delay` seconds."""

    name: ClassVar[str] = "retry.scheduled"
    attempt: int
    reason: str
    delay: float


class RetryRefused(Event, frozen=True):
    """A failure was not retried: `reason` is budget, deadline or retry_after."""

    name: ClassVar[str] = "retry.refused"
    reason: str


class Hedged(Event, frozen=True):
    """A second call was sent, since the first takes longer than most."""

    name: ClassVar[str] = "hedge.sent"


class HedgeWon(Event, frozen=True):
    """A second call was answered before the slow first one."""

    name: ClassVar[str] = "hedge.won"


class HedgeRefused(Event, frozen=True):
    """A call was slow and not sent a second time: `reason` is budget."""

    name: ClassVar[str] = "hedge.refused"
    reason: str


class BreakerChanged(Event, frozen=True):
    """A circuit breaker changed its state; `retry_after` is in seconds when it opened."""

    name: ClassVar[str] = "breaker.changed"
    state: Literal["closed", "open", "half-open"]
    retry_after: float


class CallRejected(Event, frozen=True):
    """A call was rejected: `reason` is circuit_open, circuit_forced, bulkhead_full or queue.

    It was not sent. A circuit is forced by an operator.
    """

    name: ClassVar[str] = "call.rejected"
    reason: str


class LimitMoved(Event, frozen=True):
    """The adaptive limit of a bulkhead changed, by a call of the operation."""

    name: ClassVar[str] = "bulkhead.resized"
    limit: int


class Unauthorized(Event, frozen=True):
    """A service refused the credentials of a call; `is_sent_again` is whether others are tried."""

    name: ClassVar[str] = "credentials.refused"
    is_sent_again: bool


class LocationDropped(Event, frozen=True):
    """A reply's Location is not in the upstream's `locations`, and is dropped."""

    name: ClassVar[str] = "location.dropped"
    location: str


class TokenRefused(Event, frozen=True):
    """A token endpoint issued no token; `reason` is its error code if that is a known one."""

    name: ClassVar[str] = "token.refused"
    reason: str


class Coalesced(Event, frozen=True):
    """A call waits for an equal one that is running: `leader`, if a sink traces."""

    name: ClassVar[str] = "call.coalesced"
    leader: Span | None = None


class CacheLookup(Event, frozen=True):
    """A cache looked an entry up, or stored one.

    `age` is that of the served entry in seconds, `size` that of a stored body in bytes. For the
    view cache `upstream` is "views" and `operation` is the route.
    """

    name: ClassVar[str] = "cache.looked_up"
    outcome: Literal["hit", "miss", "stale", "refresh", "store", "refuse"]
    reason: str = ""
    age: float = 0.0
    size: int = 0


class ReplyReduced(Event, frozen=True):
    """Tolerant reading omitted values of a reply.

    `lost` are the paths and reasons of the first ones (`$.items[3].status: an unknown member`),
    without the values; `count` is how many there are.
    """

    name: ClassVar[str] = "reply.reduced"
    lost: tuple[str, ...]
    count: int


class Ejected(Event, frozen=True):
    """An endpoint was ejected: it gets no calls for `duration` seconds."""

    name: ClassVar[str] = "endpoint.ejected"
    endpoint: str
    duration: float


class Restored(Event, frozen=True):
    """An ejected endpoint gets calls again."""

    name: ClassVar[str] = "endpoint.restored"
    endpoint: str


class EndpointProbed(Event, frozen=True):
    """A health check probed an endpoint: `outcome` is `up`, or why it is not.

    `duration` is in seconds. Only for sinks of each attempt.
    """

    name: ClassVar[str] = "endpoint.probed"
    endpoint: str
    outcome: str
    duration: float


class HealthChanged(Event, frozen=True):
    """Health checks found that an endpoint is down, or up again; `reason` is why it is down."""

    name: ClassVar[str] = "endpoint.health_changed"
    endpoint: str
    health: Literal["up", "down"]
    reason: str = ""


class Resolved(Event, frozen=True):
    """The endpoints of an upstream changed, or DNS lookups or a discovery failed (`error`)."""

    name: ClassVar[str] = "endpoints.resolved"
    endpoints: tuple[str, ...]
    error: str = ""
