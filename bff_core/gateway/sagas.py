"""Opens the journal of a gateway's sagas, and resumes the sagas that other processes left."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bff_core.auth.viewer_codec import ViewerCodec
from bff_core.background import Background
from bff_core.clock import chance
from bff_core.composition.wiring import Wiring
from bff_core.gateway.shared_state import SharedStateConfig
from bff_core.redis.clients_by_url import RedisClients
from bff_core.saga.coordinator import SagaCoordinator, SagaRegistry
from bff_core.saga.journal.factory import open_journal
from bff_core.saga.step_runner import SagaResources
from bff_core.sqlite import opened_file


@asynccontextmanager
async def open_sagas(
    sagas: SagaRegistry,
    config: SharedStateConfig,
    *,
    wiring: Wiring,
    redis: RedisClients,
    background: Background,
) -> AsyncIterator[SagaCoordinator]:
    """Run sagas while the context is open; when it ends, they have the grace period to finish."""
    settings = config.settings
    journal = open_journal(settings.journal_url, redis, time.time)
    for opened in opened_file(settings.journal_url, "BFF_JOURNAL_URL"):
        config.events.emit(opened)
    coordinator = sagas.open(
        SagaResources(
            wiring=wiring,
            journal=journal,
            viewers=ViewerCodec(),
            spawn=background.spawn,
            clock=config.clock,
            wall=time.time,
            chance=chance,
            events=config.events,
            lease=settings.journal_lease,
            name=config.gateway,
        )
    )
    wiring.add(coordinator)
    try:
        yield coordinator
    finally:
        await coordinator.aclose(settings.grace)
        await background.aclose()
        await journal.aclose()
