"""The JSON of recorded requests, and of one of them as a waterfall."""

from typing import Literal

import msgspec

from bff_core.console.model.overview import Headline
from bff_core.console.model.states import PartState, RequestState


class RequestRow(msgspec.Struct, kw_only=True):
    """A line of the list of requests; `parts` are the states of its parts in the plan's order.

    `route` is a template, or names the root fields of a GraphQL operation and their arguments:
    "home, product(id)".
    `screen` names the composition, empty without one, `route_id` a proxied route; `size` is None
    for a stream that is open.
    """

    id: str
    gateway: str
    time: float
    method: str
    route: str
    status: int
    state: RequestState
    seconds: float
    size: int | None
    screen: str = ""
    route_id: str = ""
    parts: list[PartState] = []
    is_cached: bool = False
    viewer: str = ""


class RequestList(msgspec.Struct, kw_only=True):
    """The newest requests that match; `sampled` is 1 in how many complete requests are stored."""

    rate: float
    sampled: int
    degraded: float | None
    rows: list[RequestRow]
    older: str = ""


class SpanRow(msgspec.Struct, kw_only=True):
    """A part, a call or an attempt; `within` is the index of the span around it, -1 for none.

    `start` counts from the request's start. `outcome` is a part's state, a status or an error code.
    `marks` are the marks of layers in words: "cached, 23 s old", "joined web 9c41f0", "2 attempts",
    "hedged, second one won", "shed", "backoff 25 ms". `timeout` is the limit that ended it, 0 if
    none did. `is_to_blame` marks what made the answer late or degraded.
    """

    kind: Literal["part", "call", "attempt", "work"]
    name: str
    upstream: str
    within: int
    start: float
    seconds: float
    outcome: str
    reason: str = ""
    error: str = ""
    source: Literal["", "upstream", "cache", "stale"] = ""
    age: float = 0.0
    marks: list[str] = []
    timeout: float = 0.0
    is_critical: bool = False
    is_to_blame: bool = False


class PartBytes(msgspec.Struct, kw_only=True):
    """How many bytes of the response came from a part; `received` is what its calls received."""

    part: str
    sent: int
    received: int | None = None


class LogEntry(msgspec.Struct, kw_only=True):
    """A line that a process wrote."""

    id: str
    time: float
    process: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    request_id: str = ""
    trace_id: str = ""
    fields: dict[str, str] = {}


class RequestDetail(msgspec.Struct, kw_only=True):
    """One request as a waterfall.

    `body` is the composed JSON as text, empty where it is not stored (`body_note` says why), and
    `origins` maps JSON pointers of it to parts: a pointer covers what is below it, but for longer
    ones. `curl` is the request as a command with redacted credentials. A replay that
    `needs_confirmation` may change something, as `replay_note` says.
    """

    row: RequestRow
    headline: Headline
    trace_id: str
    path: str
    calls: int
    attempts: int
    received: int | None
    spans: list[SpanRow]
    request_headers: list[tuple[str, str]] = []
    response_headers: list[tuple[str, str]] = []
    body: str = ""
    body_note: str = ""
    origins: dict[str, str] = {}
    bytes: list[PartBytes] = []
    logs: list[LogEntry] = []
    curl: str = ""
    can_replay: bool = False
    replay_note: str = ""
    needs_confirmation: bool = False


class Replay(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of a replay; `confirm` is needed for a request that may change something."""

    confirm: bool = False


class Replayed(msgspec.Struct, kw_only=True):
    """The request that repeated another one."""

    id: str
