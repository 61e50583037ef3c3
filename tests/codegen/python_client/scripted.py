"""A gateway that answers with scripted replies, and the requests that tests send to it."""

import json
from collections.abc import AsyncIterator

import httpx

from bff_core.codegen.python_client.runtime import encoding
from bff_core.codegen.python_client.runtime.async_caller import AsyncCaller
from bff_core.codegen.python_client.runtime.encoding import PreparedRequest
from bff_core.codegen.python_client.runtime.settings import RetrySettings

AT_ONCE = RetrySettings(attempts=3, first_delay=0)
READ = {200: encoding.json_reader(int)}
GET = PreparedRequest(method="GET", path="/a")
WRITE = PreparedRequest(method="POST", path="/a", content=b"1", media_type="application/json")
LINES = PreparedRequest(method="GET", path="/a", accept="application/x-ndjson")
KEYED = PreparedRequest(
    method="POST", path="/a", content=b"1", media_type="application/json", takes_key=True
)


class Gateway:
    """Answers with replies in turn, and records the requests."""

    def __init__(self, *replies: httpx.Response | Exception) -> None:
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.tags: list[str | None] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        self.tags.append(request.headers.get("if-none-match"))
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def caller(self, **options: object) -> AsyncCaller:
        """Return what calls this gateway."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AsyncCaller("http://gateway", http=http, **({"retries": AT_ONCE} | options))


def ok(body: object = 1, **headers: str) -> httpx.Response:
    """Return an answer."""
    return httpx.Response(
        200, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def busy(status: int = 503, **headers: str) -> httpx.Response:
    """Return a problem."""
    fields = {"content-type": "application/problem+json", **headers}
    return httpx.Response(status, content=json.dumps({"code": "busy"}), headers=fields)


def lines(*pieces: bytes, kind: str = "application/x-ndjson") -> httpx.Response:
    """Return a reply that comes in pieces."""

    async def body() -> AsyncIterator[bytes]:
        for one in pieces:
            yield one

    return httpx.Response(200, content=body(), headers={"content-type": kind})
