"""What happens in the gateway itself, or in its process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bff_core.events.sinks import GatewayEvent


@dataclass(frozen=True, slots=True)
class PartEnded(GatewayEvent):
    """A part of a composition ended other than `ok`; `error` is what it died of, if it did.

    It `is_raised` to the code that awaits a critical part: what that makes of it has its own line.
    """

    composition: str
    part: str
    state: str
    reason: str
    error: BaseException | None = None
    is_raised: bool = False


@dataclass(frozen=True, slots=True)
class RequestAnswered(GatewayEvent):
    """The edge answered a request; `duration` in seconds, `route` a template or empty.

    `path` is set where the answer is a refusal or a failure (400 and up), without the query.
    `error` is what made it a 5xx: an exception, or a sentence where there was none. It is None
    where a `Crashed` event has reported it. Where credentials were refused `reason` is why, a fixed
    word, and `refused_by` which authenticator it was.
    """

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


@dataclass(frozen=True, slots=True)
class SagaEnded(GatewayEvent):
    """A saga is over: all its steps are `done`, or what was done is `undone`."""

    saga: str
    id: str
    outcome: Literal["", "done", "undone"]


@dataclass(frozen=True, slots=True)
class SagaStuck(GatewayEvent):
    """A step can't be undone, or how it ended not be learnt; tried again in `pause` seconds.

    `error` is what the last try failed of, in this process.
    """

    saga: str
    id: str
    step: str
    reason: str
    pause: float
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class StoreChanged(GatewayEvent):
    """A store that gateways share went away (its circuit is `open`) or is back (`closed`).

    `reason` is what went wrong last before it went away.
    """

    store: str
    state: Literal["closed", "open"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoreRefused(GatewayEvent):
    """A store that gateways share answered a command with an error: `reason` says which.

    Such as a missing right (NOPERM), a read-only replica (READONLY), a full disk (MISCONF).
    Emitted once a minute for each kind of error.
    """

    store: str
    reason: str


Change = Literal[
    "begun", "refreshed", "signed_out", "ended_elsewhere", "expired", "refused", "gone", "lost"
]


@dataclass(frozen=True, slots=True)
class SessionChanged(GatewayEvent):
    """A browser's session was `begun`, its tokens were `refreshed`, or it has ended.

    By its user (`signed_out`), from another place (`ended_elsewhere`: the provider, a list of
    sessions, an operator), without a refresh token (`expired`), by the provider's word
    (`refused`), or before somebody came to refresh it (`gone`). `lost` are new tokens that no
    store took: the next refresh will be refused.
    """

    change: Change


@dataclass(frozen=True, slots=True)
class Purged(GatewayEvent):
    """What is known by `tags` was dropped, `count` entries of this process; `by` says who asked."""

    tags: tuple[str, ...]
    by: Literal["code", "write", "operator", "webhook", "peer"]
    count: int


@dataclass(frozen=True, slots=True)
class Evicted(GatewayEvent):
    """The cache in memory was full: `count` entries of `size` bytes in all made room."""

    count: int
    size: int


@dataclass(frozen=True, slots=True)
class LoadShed(GatewayEvent):
    """The edge was under pressure in the last `seconds`: what it refused, by criticality.

    `dimmed` screens went without their optional parts. `in_flight`, `limit` and `lag` (seconds
    that a turn of the event loop takes) are of the moment.
    """

    refused: Mapping[str, int]
    dimmed: int
    seconds: float
    in_flight: int
    limit: float
    lag: float


@dataclass(frozen=True, slots=True)
class Refused(GatewayEvent):
    """The server refused a request before the gateway saw it, or cut it off; `reason` is a word.

    `status` is what the client was answered, 0 where only the connection was broken.
    """

    status: int
    reason: str
    request_id: str
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class PoliciesChanged(GatewayEvent):
    """The policies of a file are in force; `changes` from before, or from those in the code."""

    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoliciesRefused(GatewayEvent):
    """The policies were to be read again and all stays as it was: `reason` says what is wrong."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConfigurationWarned(GatewayEvent):
    """The gateway starts, and a `variable` or an option should be otherwise, for a `reason`."""

    variable: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReloadSkipped(GatewayEvent):
    """A SIGHUP arrived and changed nothing; `reason` says what is missing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Opened(GatewayEvent):
    """The process accepts connections at `address`."""

    address: str


@dataclass(frozen=True, slots=True)
class FileOpened(GatewayEvent):
    """The gateway stores data in the file `path`, absolute; the setting `variable` names it."""

    path: str
    variable: str


@dataclass(frozen=True, slots=True)
class LoopBlocked(GatewayEvent):
    """The event loop has not turned for `waited` seconds: `stack` is what it is busy with.

    Told by a thread of its own, while it lasts, and once for each time.
    """

    waited: float
    stack: str


@dataclass(frozen=True, slots=True)
class LoopFreed(GatewayEvent):
    """The event loop turns again; it was blocked for `duration` seconds."""

    duration: float


@dataclass(frozen=True, slots=True)
class Drained(GatewayEvent):
    """The process stopped accepting; `unfinished` requests were cut at the end of the grace."""

    unfinished: int
    duration: float


@dataclass(frozen=True, slots=True)
class WorkerEnded(GatewayEvent):
    """A worker process ended unasked, and is replaced; `cause` is its status or its signal."""

    pid: int
    cause: str


@dataclass(frozen=True, slots=True)
class Crashed(GatewayEvent):
    """Code of the gateway raised what no one expected, or an answer was cut off by an error.

    `where` is a route's template, a part that no code awaited, or another place; `method`,
    `path` and `status` are those of the request and its answer, where there is one.
    """

    where: str
    request_id: str
    error: BaseException
    method: str = ""
    path: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class AnswerForgotten(GatewayEvent):
    """A final answer is not kept under its Idempotency-Key: a retry would run again.

    `reason` is size, evicted (memory is full) or store (Redis could not be told). Evictions are
    told once in a while, `count` of them together.
    """

    reason: Literal["size", "evicted", "store"]
    count: int = 1
