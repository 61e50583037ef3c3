"""Applies faults to calls: between the counters and everything that answers."""

import asyncio
import functools
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from services_mock import faults
from services_mock.answers import JSON, Answer, capture, read_body, replay
from services_mock.faults import FaultBoard
from services_mock.faults_socket import RawSocket, raw_socket, serialise
from services_mock.problems import Problem
from services_mock.routes import EXEMPT, ROUTE

BLOCK = 64 * 1024

GARBAGE: dict[faults.Flavour, bytes] = {
    "syntax": b'{"id": "1", "name": {{]] oops',
    "cut": b'{"items": [{"id": "1", "title": "Half a sen',
    "nan": b'{"id": "1", "amount": NaN, "total": Infinity}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "shape": b'["this", "is", 1, "list", null]',
    "html": b"<!doctype html><title>502</title><h1>Bad Gateway</h1>",
    "charset": '{"title": "Größe: Weiß"}'.encode("latin-1"),
    "empty": b"",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call with a fault."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    async def answer(self) -> Answer:
        """Return the answer that the service would have sent."""
        return await capture(self.app, self.scope, self.receive)

    async def problem(self, problem: Problem) -> None:
        """Answer with a problem."""
        await problem.response()(self.scope, self.receive, self.send)

    async def is_left_within(self, seconds: float | None) -> bool:
        """Wait, and return whether the client left meanwhile; `None` waits until it does."""
        try:
            async with asyncio.timeout(seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True

    async def head(self, answer: Answer) -> None:
        """Send the head of an answer."""
        start = {"type": "http.response.start", "status": answer.status}
        await self.send({**start, "headers": list(answer.headers)})

    async def part(self, body: bytes, *, is_last: bool = False) -> None:
        """Send a part of a body."""
        await self.send({"type": "http.response.body", "body": body, "more_body": not is_last})

    @property
    def raw(self) -> RawSocket | None:
        """Return the socket, `None` in process."""
        return raw_socket(self.scope)


class CommitFaults:
    """Between the counters and idempotency: applies the service's faults."""

    def __init__(self, app: ASGIApp, board: FaultBoard) -> None:
        self._app = app
        self._board = board

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Apply faults to one call."""
        is_exempt = scope["type"] != "http" or scope["path"] in EXEMPT
        fate = None if is_exempt else self._board.decide(scope[ROUTE])
        if fate is None:
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        # Waiting calls `receive` for a disconnect, so the body is read before and replayed after.
        waiting = Exchange(self._app, scope, receive, send)
        if fate.latency and await waiting.is_left_within(fate.latency):
            return
        call = Exchange(self._app, scope, replay(body, receive), send)
        if fate.fault is None:
            await self._app(scope, call.receive, send)
        else:
            await commit(fate.fault, call)


@functools.singledispatch
async def commit(fault: faults.Fault, call: Exchange) -> None:
    """Apply a fault to a call."""
    raise NotImplementedError(f"{type(fault).__name__} cannot be committed on {call.scope['path']}")


@commit.register
async def _error(fault: faults.Error, call: Exchange) -> None:
    await call.problem(Problem(fault.status, "injected", "A fault was requested."))


@commit.register
async def _unavailable(fault: faults.Unavailable, call: Exchange) -> None:
    detail = "A fault was requested: come back later."
    await call.problem(Problem(503, "injected", detail, retry_after=fault.retry_after))


@commit.register
async def _garbage(fault: faults.Garbage, call: Exchange) -> None:
    await _whole(GARBAGE[fault.flavour]).send(call.send)


@commit.register
async def _hang(fault: faults.Hang, call: Exchange) -> None:
    if await call.is_left_within(fault.seconds):
        return
    if call.raw is None:
        await call.problem(Problem(503, "injected", "A fault was requested: it hung."))
    else:
        call.raw.close()


@commit.register
async def _hang_mid_body(fault: faults.HangMidBody, call: Exchange) -> None:
    answer = await call.answer()
    await call.head(answer)
    length = int(len(answer.body) * fault.fraction)
    await call.part(answer.body[:length])
    if await call.is_left_within(fault.seconds):
        return
    if call.raw is None:
        await call.part(answer.body[length:], is_last=True)
    else:
        call.raw.close()


@commit.register
async def _drip(fault: faults.Drip, call: Exchange) -> None:
    answer = await call.answer()
    await call.head(answer)
    for start in range(0, len(answer.body), fault.size):
        await call.part(answer.body[start : start + fault.size])
        if await call.is_left_within(fault.interval):
            return
    await call.part(b"", is_last=True)


@commit.register
async def _gzip_bomb(fault: faults.GzipBomb, call: Exchange) -> None:
    bomb = await asyncio.to_thread(gzip_bomb, fault.decoded_bytes)
    await _whole(bomb, (b"content-encoding", b"gzip")).send(call.send)


@commit.register
async def _oversized(fault: faults.Oversized, call: Exchange) -> None:
    await call.head(Answer(200, ((b"content-type", JSON.encode()),), b""))
    async for block in _padding(fault.bytes):
        await call.part(block)
    await call.part(b"", is_last=True)


@commit.register
async def _reset(fault: faults.Reset, call: Exchange) -> None:
    if fault.fraction == 0:
        _raw(call).answer(b"", "reset")
        return
    whole = b"".join(serialise(await call.answer()))
    _raw(call).answer(whole[: int(len(whole) * fault.fraction)], "reset")


@commit.register
async def _truncated(fault: faults.Truncated, call: Exchange) -> None:
    head, body = serialise(await call.answer())
    # At least one byte is missing, or nothing would be truncated.
    length = min(int(len(body) * fault.fraction), max(0, len(body) - 1))
    _raw(call).answer(head + body[:length], "close")


@commit.register
async def _wrong_length(fault: faults.WrongLength, call: Exchange) -> None:
    answer = await call.answer()
    head, body = serialise(answer, length=max(0, len(answer.body) + fault.delta))
    _raw(call).answer(head + body, "keep")


@commit.register
async def _surplus(fault: faults.Surplus, call: Exchange) -> None:
    whole = b"".join(serialise(await call.answer()))
    raw, extra = _raw(call), fault.text.encode()
    if fault.delay:
        raw.answer(whole, "keep")
        raw.later(extra, fault.delay)
    else:
        raw.answer(whole + extra, "keep")


@functools.lru_cache(maxsize=4)
def gzip_bomb(decoded_bytes: int) -> bytes:
    """Return gzip that decodes to one JSON string of so many bytes."""
    deflate = zlib.compressobj(9, wbits=31)
    block = b" " * BLOCK
    blocks, rest = divmod(max(0, decoded_bytes - 2), BLOCK)
    parts = [deflate.compress(b'"')]
    parts += [deflate.compress(block) for _ in range(blocks)]
    parts += [deflate.compress(b" " * rest + b'"'), deflate.flush()]
    return b"".join(parts)


async def _padding(total: int) -> AsyncIterator[bytes]:
    """Yield one JSON string of so many bytes, in blocks."""
    yield b'"'
    blocks, rest = divmod(max(0, total - 2), BLOCK)
    block = b" " * BLOCK
    for _ in range(blocks):
        yield block
    yield b" " * rest + b'"'


def _whole(body: bytes, *extra: tuple[bytes, bytes]) -> Answer:
    length = (b"content-length", str(len(body)).encode())
    return Answer(200, ((b"content-type", JSON.encode()), length, *extra), body)


def _raw(call: Exchange) -> RawSocket:
    if call.raw is None:
        raise RuntimeError("a fault that was set over a socket met a call in process")
    return call.raw
