"""The operator's door: reads the policies again, for whoever holds the token."""

import json
from collections.abc import Callable, Sequence
from hmac import compare_digest

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.edge.exchange import exchange_of
from bff_core.errors import ConfigurationError, InvalidInput, NotAuthenticated

PATH = "/operator/policies"

Read = Callable[[], Sequence[str]]
"""Reads the policies again and returns what changed; raises `ConfigurationError`."""


class Operator:
    """Between the limits by address and authenticate: `POST /operator/policies`.

    The token is a bearer's (RFC 6750). It belongs to whoever runs the gateway, and is no viewer's.
    """

    __slots__ = ("_app", "_expected", "_read")

    def __init__(self, app: ASGIApp, *, token: str, read: Read) -> None:
        self._app = app
        self._expected = b"Bearer " + token.encode()
        self._read = read

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer the operator, or pass on."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        self._check(scope)
        try:
            changed = self._read()
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from error
        await _send({"changed": list(changed)}, send)

    def _check(self, scope: ASGIScope) -> None:
        exchange = exchange_of(scope)
        exchange.challenge = b"Bearer"
        given = exchange.fields.get(b"authorization", b"")
        if not compare_digest(given, self._expected):
            raise NotAuthenticated("This takes the operator's token.")
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"allow": "POST"})


async def _send(content: dict[str, object], send: Send) -> None:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
