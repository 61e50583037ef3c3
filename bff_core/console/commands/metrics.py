"""The command that returns what a process has counted."""

from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command


def commands(gateway: Gateway) -> dict[str, Command]:
    """Return the commands of this area; none if the gateway does not count."""
    return {} if gateway.metrics is None else gateway.metrics.commands()
