"""What a process reports about itself and its gateway."""

import os
import time
from collections.abc import Mapping

import msgspec

from bff_core.console.installation import INFO
from bff_core.console.model import GatewayInfo, WorkerInfo
from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""
    started = time.time()

    async def info(_: bytes) -> bytes:
        return msgspec.json.encode(_info(gateway, started))

    return {INFO: info}


def _info(gateway: Gateway, started: float) -> GatewayInfo:
    pressure = gateway.shedding.pressure
    worker = WorkerInfo(
        pid=os.getpid(),
        started=started,
        lag=pressure.lag,
        in_flight=pressure.in_flight,
        limit=pressure.limit,
    )
    return GatewayInfo(
        name=gateway.title,
        url=gateway.settings.public_url,
        workers=[worker],
    )
