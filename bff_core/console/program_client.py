"""Sends requests of the console to gateways and mock services, over connections of its own."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bff_core.background import Background
from bff_core.call import Call, Headers
from bff_core.clock import chance, monotonic
from bff_core.errors import BFFError
from bff_core.events import Events
from bff_core.policy.upstream.connection import Connection
from bff_core.reply_stream import ReplyStream
from bff_core.upstream.loopback import LOOPBACK, is_localhost
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Connector, Endpoint
from bff_core.upstream.transport.wire_transport import WireTransport

AGENT: Final = "bff-console"
MAX_BYTES: Final = 1 << 20

_options = Connection(connect_timeout=1.0, max_connections=20, idle_expiry=0.0)


class ProgramUnavailable(Exception):
    """A program did not answer, or the request can't be sent; the message says why."""


@dataclass(frozen=True, slots=True)
class ProgramReply:
    """An answer; `body` is decoded and has at most the bytes that were wanted, else it `is_cut`."""

    status: int
    headers: Headers
    body: bytes
    is_cut: bool
    seconds: float


class ProgramClient:
    """Sends requests to the addresses of programs; follows no redirect, has no cookies."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        events = Events()
        runtime = Runtime(
            upstream="console",
            loop=loop,
            clock=monotonic,
            chance=chance,
            events=events,
            spawn=Background(loop, events).spawn,
            agent=AGENT,
        )
        self._transport = WireTransport(_options, runtime)
        self._connectors: dict[str, Connector] = {}

    async def send(
        self,
        address: str,
        method: str,
        target: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        seconds: float = 5.0,
        max_bytes: int = MAX_BYTES,
    ) -> ProgramReply:
        """Send a request to a program's `address` ("http://localhost:8001") and return its answer.

        `target` is a path with its query. Within `seconds` the head has to arrive; a body that
        takes longer, or is larger, is cut. Raises `ProgramUnavailable`.
        """
        started = time.monotonic()
        try:
            fields = tuple((a.lower().encode("ascii"), b.encode("latin-1")) for a, b in headers)
            call = Call(
                upstream="console",
                method=method,
                target=target,
                operation=f"{method} {target}",
                deadline=started + seconds,
                headers=fields,
                body=body,
                is_streamed=True,
            )
            reply = await self._connector(address).send(call)
        except UnicodeEncodeError:
            raise ProgramUnavailable("header fields have ASCII names and Latin-1 values") from None
        except BFFError as error:
            raise ProgramUnavailable(f"{address}: {error}") from None
        content, is_cut = await _read(reply.body, started + seconds - time.monotonic(), max_bytes)
        took = time.monotonic() - started
        return ProgramReply(reply.status, reply.headers, content, is_cut, took)

    async def aclose(self) -> None:
        """Close all connections."""
        for one in self._connectors.values():
            await one.aclose()

    def _connector(self, address: str) -> Connector:
        found = self._connectors.get(address)
        if found is None:
            found = self._connectors[address] = self._transport.connect(_endpoint(address))
        return found


def _endpoint(address: str) -> Endpoint:
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_secure = parts.scheme == "https"
    names = LOOPBACK if is_localhost(host) else (host,)
    return Endpoint(
        scheme="https" if is_secure else "http",
        host=host,
        port=parts.port or (443 if is_secure else 80),
        address=names[0],
        base_path=parts.path.rstrip("/"),
        fallbacks=names[1:],
    )


async def _read(body: bytes | ReplyStream, seconds: float, max_bytes: int) -> tuple[bytes, bool]:
    """Return the body, and whether it was cut: it is too large, too slow or broken off."""
    if isinstance(body, bytes):
        return body[:max_bytes], len(body) > max_bytes
    content = bytearray()
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            async for chunk in body:
                content += chunk
                if len(content) > max_bytes:
                    return bytes(content[:max_bytes]), True
    except (TimeoutError, BFFError):
        return bytes(content), True
    finally:
        await body.aclose()
    return bytes(content), False
