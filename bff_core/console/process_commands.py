"""The commands that each process of a gateway offers to console, metrics and its siblings."""

from typing import Final

from bff_core.console.commands import (
    api,
    metrics,
    overview,
    process,
    requests,
    screens,
    sessions,
    upstreams,
)
from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command

AREAS: Final = (process, requests, metrics, overview, screens, upstreams, sessions, api)


def process_commands(gateway: Gateway) -> dict[str, Command]:
    """Return the commands of a running gateway's process, by name."""
    found: dict[str, Command] = {}
    for area in AREAS:
        found |= area.commands(gateway)
    return found
