"""Idempotency keys: a write that is sent twice is executed once and answered twice.

Between the faults and the routes, so that a write whose answer was lost can be sent again.
"""

import asyncio
import hashlib
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services_mock.answers import Answer, capture, read_body, replay
from services_mock.problems import Problem, invalid
from services_mock.routes import EXEMPT

MAX_STORED = 10_000
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REPLAYED = (b"idempotency-replayed", b"true")


class Idempotency:
    """Stores the answers of writes by their key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._stored: OrderedDict[str, tuple[bytes, Answer]] = OrderedDict()
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one write, or repeat the answer that it had."""
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if not (1 <= len(key) <= 255 and key.isprintable()):
            problem = invalid("header.idempotency-key", "1 to 255 printable characters")
            await problem.response()(scope, receive, send)
            return
        body = await read_body(receive)
        if body is not None:
            # Routes answer from memory: one write at a time costs nothing and cannot race.
            async with self._turn:
                await self._once(key, body, (scope, receive, send))

    async def _once(self, key: str, body: bytes, call: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = call
        request = _fingerprint(scope, body)
        if key in self._stored:
            await self._again(key, request, call)
            return
        answer = await capture(self._app, scope, replay(body, receive))
        if answer.status < 500:
            self._stored[key] = (request, answer)
            if len(self._stored) > MAX_STORED:
                self._stored.popitem(last=False)
        await answer.send(send)

    async def _again(self, key: str, request: bytes, call: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = call
        first, answer = self._stored[key]
        if first == request:
            await answer.send(send, REPLAYED)
            return
        detail = "This Idempotency-Key came with another request before."
        problem = Problem(422, "idempotency_conflict", detail)
        await problem.response()(scope, receive, send)


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] not in WRITES or scope["path"] in EXEMPT:
        return None
    return Headers(scope=scope).get("idempotency-key")


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    target = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    return hashlib.blake2b(target + b"\n" + body, digest_size=16).digest()
