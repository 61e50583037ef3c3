"""Events of the gateway and its process."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Literal, Protocol

from bff_core.events.sinks import GatewayEvent


class RequestStarted(GatewayEvent, frozen=True):
    """A request arrived; only for sinks that trace."""

    name: ClassVar[str] = "request.started"
    method: str
    request_id: str


class RequestShed(GatewayEvent, frozen=True):
    """A request was refused under load, before it started; only for sinks that trace."""

    name: ClassVar[str] = "request.shed"
    request_id: str


class PartStarted(GatewayEvent, frozen=True):
    """A part of a composition started; only for sinks that trace.

    If the part `is_critical`, its failure is that of the screen.
    """

    name: ClassVar[str] = "part.started"
    composition: str
    part: str
    is_critical: bool = False


class WorkStarted(GatewayEvent, frozen=True):
    """Background work started; only for sinks that trace."""

    name: ClassVar[str] = "work.started"
    work: str


class WorkEnded(GatewayEvent, frozen=True):
    """Background work ended: `done`, `cancelled` or `failed`; only for sinks that trace."""

    name: ClassVar[str] = "work.ended"
    work: str
    outcome: Literal["done", "cancelled", "failed"]
    duration: float


class PartEnded(GatewayEvent, frozen=True):
    """A part of a composition ended; `error` is the exception, if there was one.

    One that ended as `ok` is reported only if a sink traces. `duration` is in seconds. `is_raised`
    is whether the code that awaits the part gets the error, as with a critical part.
    """

    name: ClassVar[str] = "part.ended"
    composition: str
    part: str
    state: str
    reason: str
    error: BaseException | None = None
    is_raised: bool = False
    duration: float = 0.0


class EndedPart(Protocol):
    """A part of a composition; `started` and `ended` are instants of the gateway's clock.

    It still runs unless it `is_done`; then it is cancelled.
    """

    name: str
    is_done: bool
    reason: str
    started: float
    ended: float

    @property
    def state(self) -> str:
        """Its state, as in `Part-Status`."""

    def exception(self) -> Exception | None:
        """Return the error that its waiters got, or None."""


class PartsEnded(GatewayEvent, frozen=True):
    """A composition is closed; only for sinks that count."""

    name: ClassVar[str] = "parts.ended"
    composition: str
    parts: Collection[EndedPart]


class RequestAnswered(GatewayEvent, frozen=True):
    """The edge answered a request; `duration` in seconds, `route` a template or empty.

    `path`, without the query, is set from status 400 up. `error` is the cause of a 5xx: an
    exception or a sentence, or None if a `Crashed` event has reported it. If credentials were
    refused, `reason` is a fixed word and `refused_by` the authenticator. An answer that
    `is_truncated` has begun and not ended: the client disconnected, or its source broke off.
    `headers` are those of the request that the gateway logs, by name in lower case.
    `owner` is the team that owns the route, as `Views(owner=…)` names it. `route_id` is that of a
    proxied route.
    `viewer` is a keyed hash of the viewer, empty for anonymous ones. `scheme` is that of its URL;
    `size` counts the bytes of its body, if a sink wants the request's events.
    """

    name: ClassVar[str] = "request.answered"
    method: str
    route: str
    status: int
    duration: float
    request_id: str
    trace_id: str
    path: str = ""
    error: BaseException | str | None = None
    reason: str = ""
    refused_by: str = ""
    is_truncated: bool = False
    headers: Mapping[str, str] | None = None
    owner: str = ""
    size: int = 0
    viewer: str = ""
    scheme: str = ""
    route_id: str = ""


class SagaEnded(GatewayEvent, frozen=True):
    """A saga ended: all its steps are `done`, or the steps that ran are `undone`."""

    name: ClassVar[str] = "saga.ended"
    saga: str
    id: str
    outcome: Literal["", "done", "undone"]


class SagaStuck(GatewayEvent, frozen=True):
    """A saga can't continue: a step can't be undone, or its outcome is unknown.

    It is resumed in `pause` seconds. `error` is why the last try in this process failed.
    """

    name: ClassVar[str] = "saga.stuck"
    saga: str
    id: str
    step: str
    reason: str
    pause: float
    error: BaseException | None = None


class StoreChanged(GatewayEvent, frozen=True):
    """A shared store became unavailable (its circuit is `open`) or available again (`closed`).

    `reason` is the last error before it became unavailable.
    """

    name: ClassVar[str] = "store.changed"
    store: str
    state: Literal["closed", "open"]
    reason: str = ""


class StoreRefused(GatewayEvent, frozen=True):
    """A shared store answered a command with an error, the `reason`.

    Examples: a missing permission (NOPERM), a read-only replica (READONLY), a full disk (MISCONF).
    Emitted at most once a minute for each kind of error.
    """

    name: ClassVar[str] = "store.refused"
    store: str
    reason: str


Change = Literal[
    "begun", "refreshed", "signed_out", "ended_elsewhere", "expired", "refused", "gone", "lost"
]


class SessionChanged(GatewayEvent, frozen=True):
    """A browser's session has `begun`, its tokens were `refreshed`, or it has ended.

    It ends because its user signs out (`signed_out`), the provider, a list of sessions or an
    operator ends it (`ended_elsewhere`), it expires without a refresh token (`expired`), the
    provider refuses a refresh (`refused`), or it is no longer stored (`gone`). `lost` means that
    new tokens could not be stored: the next refresh will be refused.
    """

    name: ClassVar[str] = "session.changed"
    change: Change


class Purged(GatewayEvent, frozen=True):
    """Entries with these `tags` were purged, `count` in this process; `by` is the cause."""

    name: ClassVar[str] = "cache.purged"
    tags: tuple[str, ...]
    by: Literal["code", "write", "operator", "webhook", "peer"]
    count: int


class Evicted(GatewayEvent, frozen=True):
    """The cache in memory was full: `count` entries were evicted, `size` bytes in all."""

    name: ClassVar[str] = "cache.evicted"
    count: int
    size: int


class LoadShed(GatewayEvent, frozen=True):
    """The gateway shed load in the last `seconds`: `refused` counts requests by criticality.

    `dimmed` counts the screens that were answered without their optional parts. `in_flight`,
    `limit` and `lag` (seconds that a turn of the event loop takes) are the current values.
    """

    name: ClassVar[str] = "load.shed"
    refused: Mapping[str, int]
    dimmed: int
    seconds: float
    in_flight: int
    limit: float
    lag: float


class Refused(GatewayEvent, frozen=True):
    """The server refused a request before the gateway received it, or cut it off.

    `reason` is a fixed word. `status` is that of the answer, 0 where the connection was closed
    without one.
    """

    name: ClassVar[str] = "request.refused"
    status: int
    reason: str
    request_id: str
    trace_id: str = ""


class PoliciesChanged(GatewayEvent, frozen=True):
    """A policy file was loaded; `changes` are the differences to the policies before."""

    name: ClassVar[str] = "policies.changed"
    changes: tuple[str, ...]


class PoliciesRefused(GatewayEvent, frozen=True):
    """A policy file was not loaded, and nothing changed: `reason` is the error."""

    name: ClassVar[str] = "policies.refused"
    reason: str


class RoutesChanged(GatewayEvent, frozen=True):
    """A file of routes was loaded again: `changes` name what is new, changed or gone."""

    name: ClassVar[str] = "routes.changed"
    changes: tuple[str, ...]
    generation: int


class RoutesRefused(GatewayEvent, frozen=True):
    """A file of routes was not loaded, and nothing changed: `reason` is the error."""

    name: ClassVar[str] = "routes.refused"
    reason: str


class RoutesRolledBack(GatewayEvent, frozen=True):
    """Routes of this `generation` failed, for this `reason`: those before serve again."""

    name: ClassVar[str] = "routes.rolled_back"
    reason: str
    generation: int


class ConfigurationWarned(GatewayEvent, frozen=True):
    """The gateway starts, but a setting, option or view should be changed: see `reason`."""

    name: ClassVar[str] = "configuration.warned"
    variable: str
    reason: str


class ReloadSkipped(GatewayEvent, frozen=True):
    """A reload was wanted and changed nothing, for this `reason`."""

    name: ClassVar[str] = "reload.skipped"
    reason: str


class Opened(GatewayEvent, frozen=True):
    """The process accepts connections at `address`."""

    name: ClassVar[str] = "server.started"
    address: str


class FileOpened(GatewayEvent, frozen=True):
    """The gateway stores data in the file `path` (absolute), which the setting `variable` sets."""

    name: ClassVar[str] = "file.opened"
    path: str
    variable: str


class LoopBlocked(GatewayEvent, frozen=True):
    """The event loop has been blocked for `waited` seconds; `stack` is what it executes.

    A thread emits it once for each time that the loop is blocked.
    """

    name: ClassVar[str] = "event_loop.blocked"
    waited: float
    stack: str


class LoopFreed(GatewayEvent, frozen=True):
    """The event loop runs again; it was blocked for `duration` seconds."""

    name: ClassVar[str] = "event_loop.freed"
    duration: float


class Drained(GatewayEvent, frozen=True):
    """Graceful shutdown ended; `unfinished` requests were cancelled after the grace period."""

    name: ClassVar[str] = "server.drained"
    unfinished: int
    duration: float


class WorkerEnded(GatewayEvent, frozen=True):
    """A worker process ended unexpectedly, and is replaced; `cause` is its status or signal."""

    name: ClassVar[str] = "worker.ended"
    pid: int
    cause: str


class OperatorActed(GatewayEvent, frozen=True):
    """Someone changed something by the console or an admin endpoint: an audit record.

    `actor` is `operator` or `developer`, `client` their address if it is known. `action` is a
    sentence about the `subject`.
    """

    name: ClassVar[str] = "operator.acted"
    actor: str
    client: str
    subject: str
    action: str


class OperatorRefused(GatewayEvent, frozen=True):
    """A wrong operator token was sent to a `place`: `admin`, `metrics` or `console`.

    `attempts` counts those of the address `client` within five minutes; the event is emitted for
    1, 10, 100 and so on.
    """

    name: ClassVar[str] = "operator.refused"
    place: str
    client: str
    attempts: int


class Crashed(GatewayEvent, frozen=True):
    """An exception was not handled, or truncated an answer that had begun.

    `where` is a route's template, a part that no code awaited, or another place; `method`,
    `path` and `status` are those of the request and its answer, where there is one.
    """

    name: ClassVar[str] = "exception.unhandled"
    where: str
    request_id: str
    error: BaseException
    method: str = ""
    path: str = ""
    status: int = 0


class AnswerForgotten(GatewayEvent, frozen=True):
    """A final answer is not stored under its Idempotency-Key: a retry would be executed again.

    `reason` is size, evicted (memory is full) or store (Redis could not be written). An event may
    report several evictions, `count` of them.
    """

    name: ClassVar[str] = "idempotency_record.lost"
    reason: Literal["size", "evicted", "store"]
    count: int = 1
