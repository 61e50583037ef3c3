"""The API of the live stream: server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console


class EventStream(Response):
    """Sends the events of a source until it ends, or the client disconnects."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes]) -> None:
        self._source = source
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]

    async def __call__(self, _: ASGIScope, receive: Receive, send: Send) -> None:
        """Send the events; a client that disconnects ends them at once."""
        sending = asyncio.ensure_future(self._stream(send))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _stream(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async with contextlib.aclosing(self._source) as source:
            async for frame in source:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""

    async def get(request: Request) -> Response:
        def is_admitted() -> bool:
            try:
                console.access.admit(request)
            except ConsoleProblem:
                return False
            return True

        if request.method == "HEAD":
            return Response(media_type=EventStream.media_type)
        return EventStream(console.live.frames(is_admitted))

    return [Route("/live", get, methods=["GET"])]
