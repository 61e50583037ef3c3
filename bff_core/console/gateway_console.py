"""The console of one gateway, over its own processes; gateways load this module by name."""

import os
from collections.abc import Mapping
from pathlib import Path

from bff_core.console.console import Console
from bff_core.console.console_app import ConsoleApp
from bff_core.console.process_commands import process_commands
from bff_core.console.process_state import state_of
from bff_core.console.sign_in.access import Access
from bff_core.console.sources import GatewaySource, Sources
from bff_core.edge.allowed_hosts import host_check
from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import SOCKETS_VARIABLE, Command


def commands_of(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this process."""
    return process_commands(gateway)


def pages_of(gateway: Gateway) -> ConsoleApp:
    """Return the console of a running gateway: over its workers, or over this process alone."""
    folder, settings = os.environ.get(SOCKETS_VARIABLE, ""), gateway.settings
    source = GatewaySource(
        name=gateway.title,
        folder=Path(folder) if folder else None,
        commands={} if folder else process_commands(gateway),
    )
    is_development = settings.env == "development"
    state = state_of(gateway)
    access = Access(
        is_development=is_development,
        token=gateway.operator_token,
        gateway=gateway.title,
        is_secure=settings.public_url.startswith("https:"),
        is_allowed_host=host_check(gateway.edge_options.allowed_hosts),
        ended=state.ended,
    )
    console = Console(
        Sources([source]),
        is_development=is_development,
        access=access,
        events=gateway.events,
        state=state,
    )
    return ConsoleApp(console)
