"""The JSON of the overview."""

import msgspec

from bff_core.console.model.processes import Installation
from bff_core.console.model.states import Severity, ViewState


class Headline(msgspec.Struct, kw_only=True):
    """The sentence a page starts with; `text` marks names as `**name**` and code as `` `code` ``.

    `links` are at most two actions: a label and a path of the console.
    """

    state: Severity
    text: str
    links: list[tuple[str, str]] = []


class Figure(msgspec.Struct, kw_only=True):
    """One of the figures below the answer, with its course over the window (oldest first)."""

    name: str
    value: float | None
    unit: str
    course: list[float | None]
    state: Severity = "ok"


class Blame(msgspec.Struct, kw_only=True):
    """What spent the budget of a screen: `share` of its degraded and failed answers."""

    part: str
    upstream: str
    reason: str
    share: float


class DownService(msgspec.Struct, kw_only=True):
    """A service that is down; a screen fails without one that is critical for it."""

    upstream: str
    is_critical: bool


class ScreenFigures(msgspec.Struct, kw_only=True):
    """A view of a gateway in the window; `budget_left` is the rest of the error budget.

    `route` is how clients call it (`GET /v1/home`, or the field of a query), `screen` the name of
    the composition; a route that serves none has its route as name, and `is_screen` is false.
    `objective` is the text of its objective, empty without one; `burn` is how many times faster
    than allowed the budget is spent. `state` is that of the newest answers, half a minute of them,
    and `blame` is about the same ones; of a screen that is well it is about the window. `down` are
    the services that it needs and that are down.
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
    state: ViewState = "ok"
    since: float | None = None
    is_screen: bool = True
    down: list[DownService] = []


class GatewayFigures(msgspec.Struct, kw_only=True):
    """A gateway in the window; `refused` counts requests that were shed per second."""

    gateway: str
    rate: float
    complete: float | None
    lag: float | None
    refused: float
    state: ViewState = "ok"


class UpstreamFigures(msgspec.Struct, kw_only=True):
    """A service in the window, over all gateways; `course` is that of its p95.

    `failing` is the share of its newest calls that failed, which its `state` is about. `is_stopped`
    is whether its process does not run, as far as the console runs it.
    """

    upstream: str
    rate: float
    errors: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    course: list[float | None] = []
    state: ViewState = "ok"
    failing: float | None = None
    is_stopped: bool = False


class MapEdge(msgspec.Struct, kw_only=True):
    """The traffic from a screen to its gateway, or from a gateway to a service.

    `is_cause` marks the way from a degraded screen to what is to blame, and to services that are
    down.
    """

    source: str
    target: str
    rate: float
    errors: float
    is_cause: bool = False


class Responses(msgspec.Struct, kw_only=True):
    """Responses per second by state, oldest first; `start` is the instant of the first value."""

    start: float
    step: float
    ok: list[float]
    stale: list[float]
    degraded: list[float]
    failed: list[float]


class EventRow(msgspec.Struct, kw_only=True):
    """Something that operators want to know; `subject` is what the text is about.

    `text` marks names like `Headline.text`. `actor` is who caused it, if a person did.
    """

    id: str
    time: float
    state: Severity
    subject: str
    text: str
    actor: str = ""


class Overview(msgspec.Struct, kw_only=True):
    """The first page. `window` is how many seconds it covers, `time` the instant it was made.

    `recorded` of these seconds are recorded: fewer if the gateways are young. `windows` are the
    lengths to choose from.
    """

    time: float
    window: float
    recorded: float
    windows: list[float]
    installation: Installation
    headline: Headline
    figures: list[Figure]
    screens: list[ScreenFigures]
    gateways: list[GatewayFigures]
    upstreams: list[UpstreamFigures]
    edges: list[MapEdge]
    responses: Responses
    events: list[EventRow]
