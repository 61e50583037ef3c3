"""A service that answers every request with the bytes that a test chooses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def answering(answer: bytes, requests: list[str], port: int = 0) -> AsyncIterator[int]:
    """Answer each connection's request once, and note it; yield the port."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower())
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", port) as server:
        yield server.sockets[0].getsockname()[1]
