"""Answers that come piece by piece: lines of JSON, progressive answers, server-sent events."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import msgspec

from bff_core.codegen.python_client.runtime.answers import (
    GatewayAnswer,
    ProgressLine,
    StreamEvent,
    part_of_members,
    parts_of_header,
    parts_of_members,
)
from bff_core.codegen.python_client.runtime.async_caller import AsyncCaller
from bff_core.codegen.python_client.runtime.encoding import PreparedRequest
from bff_core.codegen.python_client.runtime.errors import (
    BOM,
    UNREADABLE,
    StreamBroken,
    UnexpectedReply,
    is_json,
    problem_of_line,
)
from bff_core.codegen.python_client.runtime.settings import CallSettings

T = TypeVar("T")
Read = Callable[[bytes], T]

LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"


class AsyncValues(Generic[T]):
    """An iterator over the values of a stream; each value is a part of one answer.

    Use it in a `with` statement, or close it, if you may leave it before its end. The call is sent
    with the first value that is requested. Raises `StreamBroken` if the stream is cut off.
    """

    def __init__(self, values: AsyncGenerator[T, None]) -> None:
        self._values = values

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._values.__anext__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream."""
        await self._values.aclose()


def rows(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncValues[T]:
    """Return the values of a stream of lines."""
    return AsyncValues(_rows(caller, request, read, settings))


def progress(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncValues[ProgressLine[T]]:
    """Return the lines of a progressive answer."""
    return AsyncValues(_progress(caller, request, read, settings))


def events(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncValues[StreamEvent[T]]:
    """Return the events of a stream."""
    return AsyncValues(_events(caller, request, read, settings))


async def _rows(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncGenerator[T, None]:
    response = await caller.open(request, settings)
    async with aclosing(_lines(caller.pieces(response))) as lines:
        async for line in lines:
            if line.strip():
                yield _decoded(line, read)


async def _progress(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncGenerator[ProgressLine[T], None]:
    response = await caller.open(request, settings)
    headers = {name.lower(): value for name, value in response.headers.items()}
    is_whole = is_json(headers)
    async with aclosing(_lines(caller.pieces(response), is_whole=is_whole)) as lines:
        if is_whole:
            body = b"\n".join([line async for line in lines])
            parts = parts_of_header(headers.get("part-status", ""))
            answer = GatewayAnswer(_decoded(body, read), response.status_code, headers, parts)
            yield ProgressLine(answer=answer)
            return
        async for line in lines:
            one = _progress_line(line, read, response.status_code, headers)
            yield one
            if one.answer is not None:
                return
    raise StreamBroken("the stream ended without its last line")


def _progress_line(
    line: bytes, read: Read[T], status: int, headers: Mapping[str, str]
) -> ProgressLine[T]:
    """Return a line; raise the problem that it may be."""
    members = _decoded(line, _LINE.decode)
    if "problem" in members:
        raise problem_of_line(_decoded(members["problem"], msgspec.json.decode), headers)
    if "answer" in members:
        parts = parts_of_members(_decoded(members.get("parts", b"{}"), msgspec.json.decode))
        value = _decoded(members["answer"], read)
        return ProgressLine(answer=GatewayAnswer(value, status, headers, parts))
    known: dict[str, Any] = _decoded(line, msgspec.json.decode)
    return ProgressLine(str(known.get("part", "")), part_of_members(known), known.get("value"))


async def _events(
    caller: AsyncCaller, request: PreparedRequest, read: Read[T], settings: CallSettings
) -> AsyncGenerator[StreamEvent[T], None]:
    response = await caller.open(request, settings)
    kind, last_id = "", ""
    data: list[bytes] = []
    pieces = _line_feeds(caller.pieces(response))
    async with aclosing(_lines(pieces, is_whole=True)) as lines:
        async for raw in lines:
            name, _, value = raw.partition(b":")
            text = value.removeprefix(b" ")
            if not raw:
                if data:
                    yield StreamEvent(_decoded(b"\n".join(data), read), kind or "message", last_id)
                kind, data = "", []
            elif name == b"data":
                data.append(text)
            elif name == b"event":
                kind = text.decode("utf-8", "replace")
            elif name == b"id" and b"\0" not in text:
                last_id = text.decode("utf-8", "replace")


async def _lines(
    pieces: AsyncGenerator[bytes, None], *, is_whole: bool = False
) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a stream; a piece may end in the middle of one.

    Raises `StreamBroken` if the last line has no end, unless `is_whole`: half a number is one, too.
    """
    held: list[bytes] = []
    async with aclosing(pieces):
        async for piece in pieces:
            *whole, rest = piece.split(b"\n")
            for line in whole:
                yield b"".join([*held, line])
                held = []
            held += [rest] if rest else []
    if held and not is_whole:
        raise StreamBroken("the stream ended within a line")
    if held:
        yield b"".join(held)


async def _line_feeds(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield a stream of events with one line feed for each end of a line, without its BOM."""
    before = BOM
    async with aclosing(pieces):
        async for piece in pieces:
            text = piece.removeprefix(before)
            before = b"\n" if piece.endswith(b"\r") else b""
            yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


_LINE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _decoded(line: bytes | msgspec.Raw, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(bytes(line))
    except UNREADABLE as error:
        raise UnexpectedReply(f"a line of the stream does not fit its type: {error}") from error
