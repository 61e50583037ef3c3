"""The commands that each process of a gateway offers to console, metrics and its siblings."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command

COMMAND_AREAS: Final = (
    "process",
    "requests",
    "metrics",
    "overview",
    "screens",
    "upstreams",
    "sessions",
    "api",
)
"""The modules below `commands`; each has `commands(gateway)`."""


def process_commands(gateway: Gateway) -> dict[str, Command]:
    """Return the commands of a running gateway's process, by name."""
    found: dict[str, Command] = {}
    for area in COMMAND_AREAS:
        name = f"bff_core.console.commands.{area}"
        if find_spec(name) is not None:
            found |= import_module(name).commands(gateway)
    return found
