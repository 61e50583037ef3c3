"""The JSON of upstreams: policy, state and actions."""

from typing import Literal

import msgspec

from bff_core.console.model.overview import Headline, ScreenFigures, UpstreamFigures
from bff_core.console.model.states import Severity


class EndpointRow(msgspec.Struct, kw_only=True):
    """An address of a service, as a gateway's processes see it."""

    address: str
    state: Severity
    p95: float | None = None
    is_ejected: bool = False


class UpstreamRow(msgspec.Struct, kw_only=True):
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


class LayerRow(msgspec.Struct, kw_only=True):
    """A layer of the calls of a service: its policy in words, and its state now.

    `source` says where the policy is from: code, file or default.
    """

    layer: str
    policy: str
    now: str
    source: Literal["code", "file", "default", ""] = ""
    state: Severity = "ok"
    is_on: bool = True


class ProcessLayers(msgspec.Struct, kw_only=True):
    """The layers of a service in one process of a gateway."""

    gateway: str
    pid: int
    layers: list[LayerRow]


class Bucket(msgspec.Struct, kw_only=True):
    """Calls that took at most `upper` seconds, and more than the bucket before."""

    upper: float
    calls: int


class TimeoutLine(msgspec.Struct, kw_only=True):
    """A timeout that applies to the calls of a service."""

    label: str
    seconds: float


class UpstreamAction(msgspec.Struct, kw_only=True):
    """Something an operator can do; `note` says what happens, or why it is not possible now."""

    action: Literal["open", "close", "eject", "restore", "purge"]
    title: str
    note: str
    is_possible: bool
    endpoint: str = ""
    needs_confirmation: bool = False


class UpstreamDetail(msgspec.Struct, kw_only=True):
    """One service: whether the service is to blame, or our policy.

    `layers` are those of the process `pid` of `gateway`: where they are worst, or of several that
    are equally well the one with most calls; `processes` has those of each. `failures` is the
    course of the share of calls that failed, `opens_at` the share that opens the circuit.
    """

    upstream: str
    gateway: str
    pid: int
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


class UpstreamList(msgspec.Struct, kw_only=True):
    """All services."""

    headline: Headline
    rows: list[UpstreamRow]


class DoAction(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of an action: on one gateway, or on all if `gateway` is empty."""

    action: Literal["open", "close", "eject", "restore", "purge"]
    gateway: str = ""
    endpoint: str = ""
    tag: str = ""
    seconds: float = 60.0


class ActionResult(msgspec.Struct, kw_only=True):
    """What an action did; `lines` are the sentences of the text, on what was done or not."""

    text: str
    lines: list[str] = []
