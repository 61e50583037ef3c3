"""The JSON of the faults of mock services."""

from typing import Literal

import msgspec

from bff_core.console.model.overview import Headline
from bff_core.console.model.screens import ClientView


class FaultCard(msgspec.Struct, kw_only=True):
    """A mock service: its faults, and how many requests they have met.

    Latencies are seconds, rates shares. `spread` is the sigma of a log-normal latency, 0 a constant
    one; `flavour` the kind of garbage. `kinds` are other kinds that are set on all routes, of those
    that it `offers`; `others` says in words what else is set. `since` is when it stopped.
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
    offers: list[str] = []


class SetFaults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
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


class FaultsPage(msgspec.Struct, kw_only=True):
    """All mock services, and a screen as each client gets it now.

    Without the services that `critical` parts need the screen fails, and degrades without the
    `optional` ones. The `p95` of a client is that of the last 10 s.
    """

    headline: Headline
    cards: list[FaultCard]
    screen: str
    clients: list[ClientView]
    critical: list[str] = []
    optional: list[str] = []
