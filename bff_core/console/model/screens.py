"""The JSON of screens: plan, clients and failure matrix."""

import msgspec

from bff_core.console.model.overview import Headline
from bff_core.console.model.states import PartState, RequestState, Severity


class ScreenName(msgspec.Struct, kw_only=True):
    """A composition, and the routes of the gateways that serve it.

    `parts` are in the order of the class: their colours follow it on all pages.
    """

    screen: str
    views: list[tuple[str, str]]
    parts: list[str] = []


class PlanNode(msgspec.Struct, kw_only=True):
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


class ClientPart(msgspec.Struct, kw_only=True):
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


class ClientView(msgspec.Struct, kw_only=True):
    """The same screen as one client gets it; `note` says why there is no answer.

    `status` is that of the response, 0 without one, and `took` its seconds. `complete_size` is the
    size of the newest complete response, `part_status` the header `Part-Status`.
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
    took: float | None = None


class MatrixCell(msgspec.Struct, kw_only=True):
    """What one client gets while one service fails."""

    gateway: str
    route: str
    is_used: bool
    status: int = 0
    size: int | None = None
    state: RequestState | None = None


class MatrixRow(msgspec.Struct, kw_only=True):
    """One service that fails, and the parts that need it."""

    upstream: str
    parts: list[str]
    cells: list[MatrixCell]


class ScreenDetail(msgspec.Struct, kw_only=True):
    """What a screen is made of, and what each client gets of it.

    `writes` are gateway and route of those that may change something: nothing sends them by itself.
    """

    screen: str
    headline: Headline
    plan: list[PlanNode]
    clients: list[ClientView]
    explain: str
    has_matrix: bool = False
    matrix: list[MatrixRow] = []
    broken: list[str] = []
    writes: list[tuple[str, str]] = []


class BreakServices(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body that computes a screen while the services `broken` fail."""

    broken: list[str]
