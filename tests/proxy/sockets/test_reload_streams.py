"""A thousand streams and web sockets go on while the routes are reloaded ten times."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest

from tests.proxy.sockets.test_many import BATCH, Echo, many, talk
from tests.proxy.sockets.wire import serving
from tests.server.talking import until

EACH = int(os.environ.get("RELOADED_STREAMS", "500"))
"""How many event streams, and how many web sockets."""

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"

ROUTES = """
[upstreams.chat]
endpoints = ["{chat}"]
timeout = {timeout}
bulkhead = {{ concurrent = 5000 }}
connection = {{ max_connections = 5000 }}

[upstreams.news]
endpoints = ["{news}"]
timeout = {timeout}
bulkhead = {{ concurrent = 5000 }}
connection = {{ max_connections = 5000 }}

[[routes]]
id = "chat"
match = {{ path = "/chat" }}
to = "chat"
access = "anyone"
websocket = true

[[routes]]
id = "news"
match = {{ path = "/news" }}
to = "news"
access = "anyone"
"""


class News:
    """A service of event streams that says something to all readers at once."""

    def __init__(self) -> None:
        self.readers: list[asyncio.StreamWriter] = []
        self.url = ""

    async def serve(self, reader, writer) -> None:
        """Begin a stream that never ends."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"data: hello\n\n")
        self.readers.append(writer)

    def say(self, text: str) -> None:
        """Send an event to all."""
        for one in self.readers:
            one.write(f"data: {text}\n\n".encode())

    @asynccontextmanager
    async def open(self):
        """Serve on a free port."""
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self
            await close(self.readers)


async def close(writers: list[asyncio.StreamWriter]) -> None:
    """Close connections."""
    for one in writers:
        one.close()
    await asyncio.gather(*(one.wait_closed() for one in writers), return_exceptions=True)


async def subscribe(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Read an event stream as a client does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /news HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"data: hello\n\n")
    return reader, writer


async def subscribers(port: int, count: int):
    """Open event streams."""
    found = []
    for _ in range(count // BATCH):
        found += await asyncio.gather(*(subscribe(port) for _ in range(BATCH)))
    return found


@pytest.mark.usefixtures("many_descriptors")
async def test_streams_and_sockets_survive_ten_reloads(depot, tmp_path):
    """Each reload changes both upstreams; what is open stays on the one that it began with."""
    file = tmp_path / "proxy.toml"
    async with serving(Echo()) as chat, News().open() as news:

        def write(timeout: float) -> None:
            file.write_text(ROUTES.format(chat=chat.url, news=news.url, timeout=timeout))

        write(10.0)
        process = await asyncio.to_thread(
            depot,
            *("--drain-delay=0", "--grace=1"),
            app="tests.proxy.sockets.reload_gateway:app",
            BFF_PROXY=str(file),
            BFF_RELOAD_ON_CHANGE="false",
        )
        readers = await subscribers(process.port, EACH)
        async with many(process.port, EACH) as clients:
            for number in range(10):
                write(11.0 + number)
                process.signal(signal.SIGHUP)
                await until(lambda n=number: process.output.count('"routes.changed"') > n, 10)
            for start in range(0, EACH, BATCH):
                await asyncio.gather(*map(talk, clients[start : start + BATCH]))
            news.say("still here")
            heard = [await reader.readuntil(b"\n\n\r\n") for reader, _ in readers]
            readers.append(await subscribe(process.port))
        await close([writer for _, writer in readers])

    assert all(b"data: still here" in one for one in heard)
    assert "Traceback" not in process.output
