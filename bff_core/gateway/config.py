"""The configuration of one gateway; `open` starts connections, stores and tasks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bff_core.auth.authenticator import Authenticator, Resources
from bff_core.auth.demo import DemoViewer
from bff_core.background import Background
from bff_core.clock import Clock, chance
from bff_core.composition.wiring import Wiring
from bff_core.edge.concern import Concern
from bff_core.edge.options import EdgeOptions
from bff_core.events import Events
from bff_core.gateway.authentication import open_authenticator
from bff_core.gateway.running import RunningGateway
from bff_core.gateway.sagas import open_sagas
from bff_core.gateway.services import open_registry
from bff_core.gateway.shared_state import SharedStateConfig
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy_reload import PolicyFile, PolicyReload
from bff_core.routing.face import Face
from bff_core.saga.coordinator import SagaRegistry
from bff_core.settings.model import Settings
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport
from bff_core.upstream.user_agent import user_agent


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """The configuration of a gateway, which can be opened any number of times.

    `sagas` is None for a gateway without sagas, `authenticator` is None if all callers are
    anonymous. `concerns` are the user's own checks of every request. `log_headers` are the names of
    the request headers that are logged, in lower case. `demo` makes viewers from user ids: with
    BFF_AUTH=demo, and for the console's own requests in development.
    """

    name: str
    settings: Settings
    options: EdgeOptions
    authenticator: Authenticator | None
    limits: Sequence[Limit]
    faces: Sequence[Face]
    concerns: Sequence[Concern]
    sagas: SagaRegistry | None
    policies: PolicyFile
    transport: MakeTransport
    has_cache: bool
    clock: Clock
    events: Events
    log_headers: Sequence[str] = ()
    demo: DemoViewer | None = None

    @property
    def shared_state(self) -> SharedStateConfig:
        """The stores that the processes of the gateway share."""
        return SharedStateConfig(
            gateway=self.name,
            settings=self.settings,
            idempotency=self.options.idempotency or IdempotencyOptions(),
            has_cache=self.has_cache,
            clock=self.clock,
            events=self.events,
        )

    @asynccontextmanager
    async def open(self, sheds_parts: Callable[[], bool]) -> AsyncIterator[RunningGateway]:
        """Yield the running gateway; its connections are closed when the context ends.

        While `sheds_parts` returns True, screens leave out parts that may be shed.
        """
        loop = asyncio.get_running_loop()
        background = Background(loop, self.events)
        async with AsyncExitStack() as closing:
            shared = await closing.enter_async_context(self.shared_state.open(background))
            closing.push_async_callback(background.aclose)
            runtime = Runtime(
                upstream="",
                loop=loop,
                clock=self.clock,
                chance=chance,
                events=self.events,
                spawn=background.spawn,
                cache=shared.cache,
                agent=user_agent(self.name),
            )
            upstreams = open_registry(self.settings, runtime, self.transport)
            closing.push_async_callback(upstreams.aclose)
            policies = PolicyReload(self.policies, upstreams, self.events)
            policies.start()
            resources = Resources(
                self.name,
                self.settings,
                upstreams.services,
                shared.redis,
                background.spawn,
                self.clock,
                self.events,
            )
            await closing.enter_async_context(open_authenticator(self.authenticator, resources))
            wiring = Wiring(
                upstreams.services.values(),
                loop=loop,
                clock=self.clock,
                events=self.events,
                sheds_parts=sheds_parts,
                cache=shared.cache,
            )
            coordinator = None
            if self.sagas is not None:
                coordinator = await closing.enter_async_context(
                    open_sagas(
                        self.sagas,
                        self.shared_state,
                        wiring=wiring,
                        redis=shared.redis,
                        background=background,
                    )
                )
            yield RunningGateway(upstreams, policies, shared, wiring, coordinator)
