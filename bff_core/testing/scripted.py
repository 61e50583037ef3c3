"""Scripted upstreams: they answer step by step and record their calls."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from msgspec.structs import replace

from bff_core.call import Call, Headers, Reply, find_header
from bff_core.errors import TransportFailed, UpstreamError
from bff_core.reply_stream import ReplyStream
from bff_core.upstream.transport.interface import Endpoint, Load

Step = Callable[[Call], Awaitable[Reply]]
"""The outcome of one attempt: returns a reply or raises."""

JSON_TYPE = "application/json"
JSON: Headers = ((b"content-type", JSON_TYPE.encode()),)


def reply(
    status: int = 200,
    body: object = b"",
    *,
    headers: Mapping[str, str] | None = None,
    after: float = 0,
) -> Step:
    """Answer after `after` seconds.

    A body that is not bytes is sent as JSON. It may consist of dictionaries and lists, dataclasses,
    Structs and models of pydantic, dates, UUIDs and what else JSON has a text for.
    """
    fields = _encoded(headers)
    if not isinstance(body, bytes) and find_header(fields, b"content-type") is None:
        fields = JSON + fields
    content = body if isinstance(body, bytes) else json.dumps(body, default=_plain).encode()

    async def step(_: Call) -> Reply:
        if after:
            await asyncio.sleep(after)
        return Reply(status, fields, content)

    return step


def _plain(value: object) -> object:
    """Return a value as dictionaries, lists, texts and numbers."""
    dump = getattr(value, "model_dump", None)  # of pydantic
    if callable(dump):
        return dump(mode="json", by_alias=True)
    return msgspec.to_builtins(value, str_keys=True)


def slow(seconds: float, then: Step | None = None) -> Step:
    """Wait for some seconds, then take the step `then`: by default an empty reply."""
    following = then or reply()

    async def step(call: Call) -> Reply:
        await asyncio.sleep(seconds)
        return await following(call)

    return step


def garbage() -> Step:
    """Answer 200 with a body that is declared as JSON and breaks off."""
    return reply(200, b'{"id": "1", "title": "Half a sen', headers={"content-type": JSON_TYPE})


def empty(status: int = 200) -> Step:
    """Answer without a body, though it is declared as JSON."""
    return reply(status, b"", headers={"content-type": JSON_TYPE})


def _encoded(headers: Mapping[str, str] | None) -> Headers:
    return tuple((name.lower().encode(), _bytes(value)) for name, value in (headers or {}).items())


def _bytes(value: str) -> bytes:
    """Return the value of a header: in Latin-1, as the kit reads headers, or else in UTF-8."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def stream(
    *chunks: bytes | float,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    breaks: bool = False,
) -> Step:
    """Answer with a body that arrives in pieces; a number is a pause in seconds.

    With `breaks` the connection breaks after the last piece.
    """
    fields = _encoded(headers)

    async def body(call: Call) -> AsyncIterator[bytes]:
        for chunk in chunks:
            if isinstance(chunk, bytes):
                yield chunk
            else:
                await asyncio.sleep(chunk)
        if breaks:
            raise TransportFailed("the connection broke", call=call, is_sent=True)

    async def step(call: Call) -> Reply:
        return Reply(status, fields, ReplyStream(body(call)))

    return step


def fail(*, is_sent: bool = True, after: float = 0) -> Step:
    """Break the connection after `after` seconds, or refuse it (`is_sent=False`)."""

    async def step(call: Call) -> Reply:
        if after:
            await asyncio.sleep(after)
        message = "the connection broke" if is_sent else "the connection was refused"
        raise TransportFailed(message, call=call, is_sent=is_sent)

    return step


def fail_with(make_error: Callable[[Call], UpstreamError]) -> Step:
    """Raise the error that `make_error` returns for the call."""

    async def step(call: Call) -> Reply:
        raise make_error(call)

    return step


def hang() -> Step:
    """Never answer."""

    async def step(_: Call) -> Reply:
        never: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        return await never

    return step


class Scripted:
    """A `Handler` that takes its steps in order, and then repeats the last one.

    `calls` lists the calls that it received, `used` counts the steps that were taken. `in_flight`
    is how many calls have not been answered, `cancelled` how many were cancelled.
    """

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps or (reply(),))
        self.used = 0
        self.calls: list[Call] = []
        self.in_flight = 0
        self.cancelled = 0

    def __repr__(self) -> str:
        return f"scripted   {len(self.calls)} calls, {self.in_flight} in flight"

    @property
    def unused(self) -> int:
        """How many of its steps were never taken."""
        return len(self._steps) - self.used

    def then(self, *steps: Step) -> None:
        """Replace the remaining steps."""
        self._steps, self.used = list(steps or (reply(),)), 0

    async def __call__(self, call: Call) -> Reply:
        """Take the next step."""
        self.calls.append(call)
        self.used = min(self.used + 1, len(self._steps))
        step = self._steps[self.used - 1]
        self.in_flight += 1
        try:
            answer = await step(call)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        if call.is_streamed and isinstance(answer.body, bytes):
            return replace(answer, body=ReplyStream(aiter(answer)))
        return answer


class CountingHandler(Protocol):
    """A `Handler` that counts the calls that it has not answered."""

    in_flight: int

    async def __call__(self, call: Call, /) -> Reply:
        """Answer a call."""
        ...


class ScriptedTransport:
    """A `Transport` with a scripted upstream at each address.

    An address without a script refuses connections. `closed` lists the addresses of closed
    connectors.
    """

    def __init__(self, scripts: Mapping[str, Scripted]) -> None:
        self.scripts = scripts
        self.closed: list[str] = []

    def connect(self, endpoint: Endpoint) -> "ScriptedConnector":
        """Return the connector of an endpoint."""
        script = self.scripts.get(endpoint.address) or Scripted(fail(is_sent=False))
        return ScriptedConnector(endpoint, script, self.closed)


class ScriptedConnector:
    """A `Connector` of one scripted upstream."""

    def __init__(self, endpoint: Endpoint, script: CountingHandler, closed: list[str]) -> None:
        self.endpoint = endpoint
        self.send = script
        self._closed = closed

    @property
    def load(self) -> Load:
        """How many calls are in flight."""
        return Load(idle=0, active=self.send.in_flight, waiting=0)

    async def aclose(self) -> None:
        """Record that it was closed."""
        self._closed.append(self.endpoint.address)
