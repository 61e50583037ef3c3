"""Sends a captured request to its gateway again, within the gateway's process."""

import asyncio
from typing import Final

import msgspec
from starlette.types import Message
from starlette.types import Scope as ASGIScope

from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.in_process import scope_of
from bff_core.gateway.app import Gateway
from bff_core.gateway.captures import Capture

SEND: Final = "requests.send"
"""The command that sends a `Capture` again and returns a `ReplayAnswer`."""

REPLAY_SECONDS: Final = 15.0
"""After how long the client of a replay disconnects: streams do not end by themselves."""

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_OF_ONE_REQUEST: Final = frozenset({"x-request-id", "traceparent", "tracestate", "idempotency-key"})
"""Headers that name the request itself: the repeated one gets its own."""


class ReplayAnswer(msgspec.Struct):
    """How a repeated request was answered; `request_id` is empty if it was not."""

    request_id: str
    status: int


async def send_again(gateway: Gateway, capture: Capture) -> ReplayAnswer:
    """Send a request through the whole edge, as its client did; its response is dropped."""
    found = ReplayAnswer("", 0)
    is_sent, is_over = False, asyncio.Event()

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:
            await is_over.wait()
            return {"type": "http.disconnect"}
        is_sent = True
        return {"type": "http.request", "body": capture.request, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.status = message["status"]
            headers = dict(message["headers"])
            found.request_id = headers.get(b"x-request-id", b"").decode("latin-1")

    try:
        async with asyncio.timeout(REPLAY_SECONDS):
            await gateway(_scope(gateway, capture), receive, send)
    except TimeoutError:
        pass
    finally:
        is_over.set()
    return found


def may_change(capture: Capture, graphql: str) -> bool:
    """Whether a request may change data; a query of GraphQL, at the path `graphql`, does not."""
    if capture.method in SAFE:
        return False
    if not graphql or capture.target.partition("?")[0] != graphql:
        return True
    try:
        query = decode_foreign(capture.request, _GraphQLBody).query
    except NotDecoded:
        return True
    return "mutation" in query or not query


class _GraphQLBody(msgspec.Struct):
    query: str = ""


def _scope(gateway: Gateway, capture: Capture) -> ASGIScope:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in capture.request_headers
        if name not in _OF_ONE_REQUEST
    ]
    server = ("127.0.0.1", gateway.settings.port)
    return scope_of(gateway, capture.method, capture.target, headers, server=server)
