"""What a process has of requests: records, and in development captures that can be sent again."""

from collections.abc import Mapping

import msgspec

from bff_core.console.requests.captured import CAPTURES
from bff_core.console.requests.replay import SEND, send_again
from bff_core.gateway.app import Gateway
from bff_core.gateway.captures import Capture
from bff_core.observe.process_socket import Command
from bff_core.observe.request_records import request_commands


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area; those of records only if the process records requests."""
    records, captures = request_commands(gateway.events), gateway.captures
    if captures is None:
        return records

    async def get(body: bytes) -> bytes:
        wanted = msgspec.json.decode(body, type=list[str])
        found = (captures.get(one) for one in wanted)
        return msgspec.json.encode([one for one in found if one is not None])

    async def send(body: bytes) -> bytes:
        capture = msgspec.json.decode(body, type=Capture)
        return msgspec.json.encode(await send_again(gateway, capture))

    return {**records, CAPTURES: get, SEND: send}
