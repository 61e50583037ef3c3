"""What a process reports for the overview: the services that its screens need."""

import asyncio
from collections.abc import Mapping

import msgspec

from bff_core.console.overview.down import NEEDS, ServiceNeed
from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""
    needs: list[ServiceNeed] | None = None

    async def read(_: bytes) -> bytes:
        nonlocal needs
        if needs is None:  # it reads the source of all screens: not on the loop
            needs = await asyncio.to_thread(_needs, gateway)
        return msgspec.json.encode(needs)

    return {NEEDS: read}


def _needs(gateway: Gateway) -> list[ServiceNeed]:
    # The module is slow to import, and most processes never show the page.
    from bff_core.console.overview.needs import needs_of  # noqa: PLC0415 # see above

    return needs_of(gateway)
