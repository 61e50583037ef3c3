"""The gateway of the processes under test: reads, writes, streams, and a web socket."""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import Request, Response, WebSocket, WebSocketDisconnect
from starlette.responses import StreamingResponse

from bff_core import gateway

app = gateway("depot")
cancelled: list[float] = []


@app.get("/items/{item}")
async def item(item: int, seconds: float = 0.005) -> dict[str, int]:
    """Answer after some time."""
    await asyncio.sleep(seconds)
    return {"item": item}


@app.post("/orders", status_code=201)
async def order(order: dict[str, int]) -> dict[str, int]:
    """Take an order, in a little longer."""
    await asyncio.sleep(0.01)
    return order


@app.get("/block")
async def block(seconds: float) -> dict[str, float]:
    """Block the event loop."""
    time.sleep(seconds)  # noqa: ASYNC251 # it is the point
    return {"blocked": seconds}


@app.get("/events")
async def events() -> StreamingResponse:
    """Send endless events."""
    return StreamingResponse(_ticks(b"data: %d\n\n"), media_type="text/event-stream")


@app.get("/rows")
async def rows(count: int = 1_000_000) -> StreamingResponse:
    """Export rows for a long time."""
    return StreamingResponse(_ticks(b'{"row": %d}\n', count), media_type="application/x-ndjson")


@app.post("/fields")
async def fields(request: Request) -> list[str]:
    """Answer with the names of the received header fields."""
    await request.body()
    return request.headers.keys()


@app.get("/large")
async def large() -> Response:
    """Answer with more than a socket buffers."""
    return Response(b"x" * 20_000_000)


@app.get("/wait")
async def wait() -> None:
    """Never answer; count cancellations."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(time.monotonic())
        raise


@app.get("/cancelled")
async def count() -> int:
    """Return how many were cancelled."""
    return len(cancelled)


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    """Echo every message."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


async def _ticks(form: bytes, count: int = 1_000_000) -> AsyncIterator[bytes]:
    for number in range(count):
        yield form % number
        await asyncio.sleep(0.05)
