"""What a gateway has while it runs, and what is left of it while it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bff_core.composition.wiring import Wiring
from bff_core.gateway.shared_state import SharedState
from bff_core.policy_reload import PolicyReload
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.stack import UpstreamStack


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """One run of a gateway: its connections, stores and tasks, open until the run ends."""

    upstreams: UpstreamRegistry
    policies: PolicyReload
    shared: SharedState
    wiring: Wiring

    @property
    def services(self) -> Mapping[type[Upstream], Upstream]:
        """The service clients, which can be called."""
        return self.upstreams.services

    @property
    def stacks(self) -> Sequence[UpstreamStack]:
        """The stacks that new requests call through."""
        return self.upstreams.stacks


@dataclass(frozen=True, slots=True)
class StoppedGateway:
    """A gateway before its run and after it: its services show their stacks, and call nothing."""

    services: Mapping[type[Upstream], Upstream]

    @property
    def wiring(self) -> None:
        """None: no composition is built."""
        return

    @property
    def stacks(self) -> Sequence[UpstreamStack]:
        """None are open."""
        return ()
