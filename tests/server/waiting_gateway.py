"""A gateway with streams and web sockets that have nothing to say, and an ordinary route."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import WebSocket, WebSocketDisconnect

from bff_core import ANYONE, Views, gateway

views = Views(access=ANYONE)


@views.get("/items/{item}")
async def get_item(item: int) -> dict[str, int]:
    """Answer at once."""
    return {"item": item}


@views.stream("/news")
async def get_news() -> AsyncIterator[dict[str, str]]:
    """Send one item, then wait for news that never come."""
    yield {"news": "open"}
    await asyncio.Event().wait()


app = gateway("waiting", faces=[views])


@app.websocket("/chat")
async def chat(connection: WebSocket) -> None:
    """Say hello, then wait for messages."""
    await connection.accept()
    await connection.send_text("open")
    try:
        await connection.receive_text()
    except WebSocketDisconnect:
        return
