"""What the console's pages read: one Struct for each answer of its JSON API.

Instants are Unix seconds, durations seconds, sizes bytes, shares numbers from 0 to 1. A number that
is not known is None. Names of states are those of `Part-Status`; a request is `complete`,
`degraded` or `failed`.
"""

from typing import Literal

import msgspec

PartState = Literal["ok", "stale", "fallback", "missing", "forbidden", "failed"]
RequestState = Literal["complete", "degraded", "failed"]
Health = Literal["ok", "degraded", "failed", "stopped", "unknown"]
Severity = Literal["ok", "stale", "fallback", "missing", "failed"]


class Model(msgspec.Struct, kw_only=True):
    """The base of all answers."""


# --- who is there -------------------------------------------------------------------------------


class WorkerInfo(Model):
    """A process of a gateway; `lag` is how long a turn of its event loop takes."""

    pid: int
    started: float
    lag: float
    in_flight: int
    limit: float


class GatewayInfo(Model):
    """A gateway: `url` is its address for a browser, `client` web, ios, desktop … for its icon.

    `graphql` is the path of its GraphQL endpoint, empty without one. `kinds` says in words what it
    serves ("GraphQL", "REST").
    """

    name: str
    url: str
    client: str = ""
    kinds: str = ""
    graphql: str = ""
    has_openapi: bool = False
    health: Health = "unknown"
    workers: list[WorkerInfo] = []


class ProcessInfo(Model):
    """A process that `bff dev` runs: a gateway or a service; `since` is when it stopped."""

    name: str
    kind: Literal["gateway", "service"]
    port: int
    state: Literal["starting", "running", "stopped", "failed"]
    takes_faults: bool = False
    since: float | None = None


class Installation(Model):
    """What the console looks at; `is_development` says whether it may break and start things.

    `can_operate` is whether this browser may use actions that change the gateways. `shop` is an
    address that the foot of the navigation links to.
    """

    version: str
    is_development: bool
    can_operate: bool
    gateways: list[GatewayInfo]
    processes: list[ProcessInfo] = []
    shop: str = ""


# --- overview -----------------------------------------------------------------------------------


class Headline(Model):
    """The sentence a page starts with; `text` marks names as `**name**` and code as `` `code` ``.

    `links` are at most two actions: a label and a path of the console.
    """

    state: Severity
    text: str
    links: list[tuple[str, str]] = []


class Figure(Model):
    """One of the figures below the answer, with its course over the window (oldest first)."""

    name: str
    value: float | None
    unit: str
    course: list[float | None]
    state: Severity = "ok"


class Blame(Model):
    """What spent the budget of a screen: `share` of its degraded and failed answers."""

    part: str
    upstream: str
    reason: str
    share: float


class ScreenFigures(Model):
    """A view of a gateway in the window; `budget_left` is the rest of the error budget.

    `route` is how clients call it (`GET /v1/home`, or the field of a query), `screen` the name of
    the composition. `objective` is the text of its objective, empty without one; `burn` is how many
    times faster than allowed the budget is spent.
    """

    gateway: str
    screen: str
    route: str
    rate: float
    complete: float | None
    errors: float | None
    p50: float | None
    p95: float | None
    objective: str = ""
    budget_left: float | None = None
    burn: float | None = None
    blame: list[Blame] = []
    state: Severity = "ok"
    since: float | None = None


class GatewayFigures(Model):
    """A gateway in the window; `refused` counts requests that were shed per second."""

    gateway: str
    rate: float
    complete: float | None
    lag: float | None
    refused: float
    state: Severity = "ok"


class UpstreamFigures(Model):
    """A service in the window, over all gateways; `course` is that of its p95."""

    upstream: str
    rate: float
    errors: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    course: list[float | None] = []
    state: Severity = "ok"


class MapEdge(Model):
    """The traffic from a screen to its gateway, or from a gateway to a service.

    `is_cause` marks the way from a degraded screen to what is to blame.
    """

    source: str
    target: str
    rate: float
    errors: float
    is_cause: bool = False


class Responses(Model):
    """Responses per second by state, oldest first; `start` is the instant of the first value."""

    start: float
    step: float
    ok: list[float]
    stale: list[float]
    degraded: list[float]
    failed: list[float]


class EventRow(Model):
    """Something that operators want to know; `subject` is what the text is about.

    `text` marks names like `Headline.text`. `actor` is who caused it, if a person did.
    """

    id: str
    time: float
    state: Severity
    subject: str
    text: str
    actor: str = ""


class Overview(Model):
    """The first page. `window` is how many seconds it covers, `time` the instant it was made."""

    time: float
    window: float
    installation: Installation
    headline: Headline
    figures: list[Figure]
    screens: list[ScreenFigures]
    gateways: list[GatewayFigures]
    upstreams: list[UpstreamFigures]
    edges: list[MapEdge]
    responses: Responses
    events: list[EventRow]


# --- requests -----------------------------------------------------------------------------------


class RequestRow(Model):
    """A line of the list of requests; `parts` are the states of its parts in the plan's order.

    `route` is a template, or names the root fields of a GraphQL operation: "home, cart".
    `screen` names the composition, empty without one; `size` is None for a stream that is open.
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
    parts: list[PartState] = []
    is_cached: bool = False
    viewer: str = ""


class RequestList(Model):
    """The newest requests that match; `sampled` is 1 in how many complete requests are stored."""

    rate: float
    sampled: int
    degraded: float | None
    rows: list[RequestRow]
    older: str = ""


class SpanRow(Model):
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


class PartBytes(Model):
    """How many bytes of the response came from a part; `received` is what its calls received."""

    part: str
    sent: int
    received: int | None = None


class LogEntry(Model):
    """A line that a process wrote."""

    id: str
    time: float
    process: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    request_id: str = ""
    trace_id: str = ""
    fields: dict[str, str] = {}


class RequestDetail(Model):
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


class Replay(Model, forbid_unknown_fields=True):
    """The body of a replay; `confirm` is needed for a request that may change something."""

    confirm: bool = False


class Replayed(Model):
    """The request that repeated another one."""

    id: str


# --- screens ------------------------------------------------------------------------------------


class ScreenName(Model):
    """A composition, and the routes of the gateways that serve it."""

    screen: str
    views: list[tuple[str, str]]


class PlanNode(Model):
    """A part in the plan: `column` is its depth, `awaits` are the parts that it waits for.

    `fallback` is what stands in ("()" or "null"), empty for a critical part. `timeout` is in
    seconds, None if only the request's deadline ends it.
    """

    part: str
    upstreams: list[str]
    column: int
    awaits: list[str]
    is_critical: bool
    fallback: str = ""
    timeout: float | None = None
    p50: float | None = None
    p95: float | None = None
    state: Severity = "ok"


class ClientPart(Model):
    """What a client gets of a part: a short outline of the JSON, and its bytes.

    `outline` is empty if the client does not request the part. `reason` and `age` (seconds) are
    those of `Part-Status`.
    """

    part: str
    outline: str
    sent: int | None
    state: PartState | None = None
    reason: str = ""
    age: float | None = None


class ClientView(Model):
    """The same screen as one client gets it; `note` says why there is no answer.

    `status` is that of the response, 0 without one. `complete_size` is the size of the newest
    complete response, `part_status` the header `Part-Status`.
    """

    gateway: str
    client: str
    route: str
    status: int
    size: int | None
    calls: int | None
    received: int | None
    p95: float | None
    state: RequestState | None
    parts: list[ClientPart] = []
    note: str = ""
    complete_size: int | None = None
    part_status: str = ""
    request_id: str = ""


class MatrixCell(Model):
    """What one client gets while one service fails."""

    gateway: str
    route: str
    is_used: bool
    status: int = 0
    size: int | None = None
    state: RequestState | None = None


class MatrixRow(Model):
    """One service that fails, and the parts that need it."""

    upstream: str
    parts: list[str]
    cells: list[MatrixCell]


class ScreenDetail(Model):
    """What a screen is made of, and what each client gets of it."""

    screen: str
    headline: Headline
    plan: list[PlanNode]
    clients: list[ClientView]
    explain: str
    has_matrix: bool = False
    matrix: list[MatrixRow] = []
    broken: list[str] = []


# --- upstreams ----------------------------------------------------------------------------------


class EndpointRow(Model):
    """An address of a service, as a gateway's processes see it."""

    address: str
    state: Severity
    p95: float | None = None
    is_ejected: bool = False


class UpstreamRow(Model):
    """A line of the table of services; shares are None where the layer is off.

    `failed` of the last `window` calls failed. `retry_budget` is the share of it that is used: 1
    means spent. `cache` is the share of hits. An open breaker `is_forced` if an operator opened it.
    """

    figures: UpstreamFigures
    breaker: Literal["closed", "open", "half-open", "off"]
    failed: int
    window: int
    in_use: int
    permits: int | None
    retry_budget: float | None
    cache: float | None
    endpoints: list[EndpointRow] = []
    is_forced: bool = False


class LayerRow(Model):
    """A layer of the calls of a service: its policy in words, and its state now.

    `source` says where the policy is from: code, file or default.
    """

    layer: str
    policy: str
    now: str
    source: Literal["code", "file", "default", ""] = ""
    state: Severity = "ok"
    is_on: bool = True


class ProcessLayers(Model):
    """The layers of a service in one process of a gateway."""

    gateway: str
    pid: int
    layers: list[LayerRow]


class Bucket(Model):
    """Calls that took at most `upper` seconds, and more than the bucket before."""

    upper: float
    calls: int


class TimeoutLine(Model):
    """A timeout that applies to the calls of a service."""

    label: str
    seconds: float


class UpstreamAction(Model):
    """Something an operator can do; `note` says what happens, or why it is not possible now."""

    action: Literal["open", "close", "eject", "restore", "purge"]
    title: str
    note: str
    is_possible: bool
    endpoint: str = ""
    needs_confirmation: bool = False


class UpstreamDetail(Model):
    """One service: whether the service is to blame, or our policy.

    `layers` are those of the process where they are worst, `processes` those of each. `failures`
    is the course of the share of calls that failed, `opens_at` the share that opens the circuit.
    """

    upstream: str
    gateway: str
    headline: Headline
    layers: list[LayerRow]
    buckets: list[Bucket]
    timeouts: list[TimeoutLine]
    failures: list[float | None]
    opens_at: float | None
    actions: list[UpstreamAction]
    screens: list[ScreenFigures]
    row: UpstreamRow | None = None
    processes: list[ProcessLayers] = []


class UpstreamList(Model):
    """All services."""

    headline: Headline
    rows: list[UpstreamRow]


class DoAction(Model, forbid_unknown_fields=True):
    """The body of an action: on one gateway, or on all if `gateway` is empty."""

    action: Literal["open", "close", "eject", "restore", "purge"]
    gateway: str = ""
    endpoint: str = ""
    tag: str = ""
    seconds: float = 60.0


class ActionResult(Model):
    """What an action did, as a sentence."""

    text: str


# --- faults -------------------------------------------------------------------------------------


class FaultCard(Model):
    """A mock service: its faults, and how many requests they have met.

    Latencies are seconds, rates shares. `spread` is the sigma of a log-normal latency, 0 a constant
    one; `flavour` the kind of garbage. `kinds` are other kinds that are set on all routes, `others`
    says in words what else is set. `since` is when it stopped.
    """

    service: str
    port: int
    state: Literal["running", "stopped", "starting", "failed"]
    takes_faults: bool
    latency: float = 0.0
    errors: float = 0.0
    hang: float = 0.0
    garbage: float = 0.0
    others: list[str] = []
    hits: int = 0
    calls: int | None = None
    spread: float = 0.0
    flavour: str = ""
    kinds: list[str] = []
    since: float | None = None


class SetFaults(Model, forbid_unknown_fields=True):
    """The body that changes the faults of a service.

    `kinds` replaces the other kinds, which have no slider, with those of this list; None leaves
    them as they are.
    """

    latency: float = 0.0
    errors: float = 0.0
    hang: float = 0.0
    garbage: float = 0.0
    spread: float = 0.0
    flavour: str = ""
    kinds: list[str] | None = None


class FaultsPage(Model):
    """All mock services, and a screen as each client gets it now."""

    headline: Headline
    cards: list[FaultCard]
    screen: str
    clients: list[ClientView]


# --- logs, sessions, sagas ----------------------------------------------------------------------


class LogPage(Model):
    """The newest lines that match, oldest first."""

    lines: list[LogEntry]
    dropped: int = 0


class SessionRow(Model):
    """A browser's session; `id` and `viewer` are hashes."""

    id: str
    viewer: str
    began: float | None
    expires: float | None
    gateway: str = ""


class LimitRow(Model):
    """A rate limit's bucket that is nearly empty; `key` is a hash, `left` the share of it."""

    gateway: str
    limit: str
    key: str
    left: float
    resets: float | None


class SagaStep(Model):
    """A step of a saga; `state` is its word in the journal."""

    step: str
    state: str
    attempts: int
    error: str = ""


class SagaRow(Model):
    """A saga that is not ended; `next_try` is when it is resumed."""

    id: str
    gateway: str
    saga: str
    state: Literal["running", "undoing", "stuck"]
    started: float
    next_try: float | None
    reason: str = ""
    steps: list[SagaStep] = []
    can_resume: bool = False


class LivePage(Model):
    """What is live, and what is stuck; `notes` say what can't be listed, and why."""

    headline: Headline
    sessions: list[SessionRow]
    session_count: int | None
    limits: list[LimitRow]
    sagas: list[SagaRow]
    notes: list[str] = []


# --- API reference ------------------------------------------------------------------------------


class Send(Model, forbid_unknown_fields=True):
    """A request that the API page sends through the console to a gateway."""

    method: str
    path: str
    headers: list[tuple[str, str]] = []
    body: str = ""


class Sent(Model):
    """The gateway's response; `text` is the body if it is text, cut at `max_bytes`."""

    status: int
    seconds: float
    headers: list[tuple[str, str]]
    text: str
    size: int
    is_cut: bool = False
    request_id: str = ""


# --- live ---------------------------------------------------------------------------------------


class Live(Model):
    """One message of `/console/api/live` (server-sent events, at most four a second).

    Each field is None or empty if nothing changed. `rows_dropped` counts new requests that are not
    among `requests`, since there were too many.
    """

    time: float
    overview: Overview | None = None
    requests: list[RequestRow] = []
    rows_dropped: int = 0
    logs: list[LogEntry] = []
    events: list[EventRow] = []
    faults: list[FaultCard] | None = None
