"""What the console's pages read: one Struct for each answer of its JSON API.

Instants are Unix seconds, durations seconds, sizes bytes, shares numbers from 0 to 1. A number that
is not known is None. Names of states are those of `Part-Status`; a request is `complete`,
`degraded` or `failed`.
"""

from bff_core.console.model.api import Send, Sent
from bff_core.console.model.faults import FaultCard, FaultsPage, SetFaults
from bff_core.console.model.live import Live
from bff_core.console.model.live_state import (
    LimitRow,
    LivePage,
    LogPage,
    SagaRow,
    SagaStep,
    SessionRow,
)
from bff_core.console.model.overview import (
    Blame,
    EventRow,
    Figure,
    GatewayFigures,
    Headline,
    MapEdge,
    Overview,
    Responses,
    ScreenFigures,
    UpstreamFigures,
)
from bff_core.console.model.processes import GatewayInfo, Installation, ProcessInfo, WorkerInfo
from bff_core.console.model.requests import (
    LogEntry,
    PartBytes,
    Replay,
    Replayed,
    RequestDetail,
    RequestList,
    RequestRow,
    SpanRow,
)
from bff_core.console.model.screens import (
    ClientPart,
    ClientView,
    MatrixCell,
    MatrixRow,
    PlanNode,
    ScreenDetail,
    ScreenName,
)
from bff_core.console.model.states import Health, PartState, RequestState, Severity
from bff_core.console.model.upstreams import (
    ActionResult,
    Bucket,
    DoAction,
    EndpointRow,
    LayerRow,
    ProcessLayers,
    TimeoutLine,
    UpstreamAction,
    UpstreamDetail,
    UpstreamList,
    UpstreamRow,
)

__all__ = [
    "ActionResult",
    "Blame",
    "Bucket",
    "ClientPart",
    "ClientView",
    "DoAction",
    "EndpointRow",
    "EventRow",
    "FaultCard",
    "FaultsPage",
    "Figure",
    "GatewayFigures",
    "GatewayInfo",
    "Headline",
    "Health",
    "Installation",
    "LayerRow",
    "LimitRow",
    "Live",
    "LivePage",
    "LogEntry",
    "LogPage",
    "MapEdge",
    "MatrixCell",
    "MatrixRow",
    "Overview",
    "PartBytes",
    "PartState",
    "PlanNode",
    "ProcessInfo",
    "ProcessLayers",
    "Replay",
    "Replayed",
    "RequestDetail",
    "RequestList",
    "RequestRow",
    "RequestState",
    "Responses",
    "SagaRow",
    "SagaStep",
    "ScreenDetail",
    "ScreenFigures",
    "ScreenName",
    "Send",
    "Sent",
    "SessionRow",
    "SetFaults",
    "Severity",
    "SpanRow",
    "TimeoutLine",
    "UpstreamAction",
    "UpstreamDetail",
    "UpstreamFigures",
    "UpstreamList",
    "UpstreamRow",
    "WorkerInfo",
]
