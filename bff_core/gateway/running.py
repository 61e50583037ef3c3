"""The two states of a gateway: running, with open connections, and stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bff_core.composition.wiring import Wiring
from bff_core.gateway.shared_state import SharedState
from bff_core.policy_reload import PolicyReload
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.stack import UpstreamStack


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """One run of a gateway: its connections, stores and tasks, open until the run ends.

    `sagas` is None for a gateway without sagas.
    """

    upstreams: UpstreamRegistry
    policies: PolicyReload
    shared: SharedState
    wiring: Wiring
    sagas: SagaCoordinator | None = None

    @property
    def services(self) -> Mapping[type[Upstream], Upstream]:
        """The service clients, ready to be called."""
        return self.upstreams.services

    @property
    def stacks(self) -> Sequence[UpstreamStack]:
        """The stacks that new requests use."""
        return self.upstreams.stacks


@dataclass(frozen=True, slots=True)
class StoppedGateway:
    """A gateway that does not run: `repr` of its services shows their stacks, calls fail."""

    services: Mapping[type[Upstream], Upstream]

    @property
    def wiring(self) -> None:
        """None: compositions can't be built."""
        return

    @property
    def stacks(self) -> Sequence[UpstreamStack]:
        """Empty: no stack is open."""
        return ()
