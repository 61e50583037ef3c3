"""The records of requests: `requests.since` and `requests.get`."""

from collections.abc import Mapping

from bff_core.gateway.app import Gateway
from bff_core.observe.process_socket import Command
from bff_core.observe.request_records import request_commands


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area; none if the process records no requests."""
    return request_commands(gateway.events)
