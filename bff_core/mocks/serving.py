"""What all mocks have in common as ASGI apps: readiness, and the lifespan."""

from typing import Final

from starlette.types import Receive, Send

HEALTH: Final = "/healthz"
"""The path that `bff dev` waits for, unless the contract has it."""


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer the events of the lifespan; a mock opens nothing."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
