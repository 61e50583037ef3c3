"""What each process reports about the services that it calls."""

import msgspec

from bff_core.console.model import LayerRow
from bff_core.upstream.state import UpstreamState


class PartNeed(msgspec.Struct):
    """A part that calls a service; `timeout` is None if only the request's deadline ends it."""

    part: str
    timeout: float | None = None


class ScreenNeed(msgspec.Struct):
    """A screen that needs a service, the routes that serve it, and the parts that call it."""

    screen: str
    routes: list[str]
    parts: list[PartNeed]


class UpstreamReport(msgspec.Struct):
    """One service in one process.

    `timeout` and `attempt_timeout` are seconds. The circuit opens at the share `failure_ratio` of
    failures in a `window` of seconds; both are 0 without one. A service that `is_critical` makes
    the gateway unready while its circuit is open. `latencies` are the p95 of endpoints, in seconds,
    measured since the first look at the page.
    """

    upstream: str
    layers: list[LayerRow]
    state: UpstreamState
    timeout: float
    attempt_timeout: float
    failure_ratio: float
    window: float
    is_critical: bool
    is_cached: bool
    needs: list[ScreenNeed] = []
    latencies: dict[str, float] = {}


class ProcessReport(msgspec.Struct):
    """All services that one process of a gateway calls."""

    gateway: str
    pid: int
    upstreams: list[UpstreamReport]


STATE_COMMAND = "upstreams.state"
"""The command that returns a `ProcessReport`."""

ACT_COMMAND = "operator.act"
"""The command that does an `Operation` in all processes of a gateway."""


class Acted(msgspec.Struct):
    """The answer of `operator.act`: what was done, or the problem that prevented it."""

    subject: str = ""
    action: str = ""
    changed: int = 0
    failed: list[str] = []
    status: int = 200
    problem: str = ""
