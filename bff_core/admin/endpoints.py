"""The operator's door: what whoever holds the token may have done, and see."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.edge.body_limit import whole
from bff_core.errors import NotAuthenticated
from bff_core.exchange.context import exchange_of
from bff_core.routing.path import path_of

LONGEST = 64 * 1024
"""The most bytes that an errand, or a webhook, may be told."""


@dataclass(frozen=True, slots=True)
class AdminAction:
    """What is done at a path: `act` takes the body and returns the answer, to be sent as JSON."""

    method: str
    act: Callable[[bytes], Awaitable[Mapping[str, object]]]


class AdminEndpoints:
    """Between the limits by address and authenticate: the paths of `/operator`.

    The token is a bearer's (RFC 6750). It belongs to whoever runs the gateway, and is no viewer's.
    """

    __slots__ = ("_app", "_errands", "_expected")

    def __init__(self, app: ASGIApp, *, token: str, errands: Mapping[str, AdminAction]) -> None:
        self._app = app
        self._expected = b"Bearer " + token.encode()
        self._errands = errands

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer the operator, or pass on."""
        errand = self._errands.get(path_of(scope))
        if errand is None or scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._run(errand, scope, receive, send)

    async def _run(
        self, errand: AdminAction, scope: ASGIScope, receive: Receive, send: Send
    ) -> None:
        exchange = exchange_of(scope)
        exchange.challenge = b"Bearer"
        given = exchange.fields.get(b"authorization", b"")
        if not compare_digest(given, self._expected):
            raise NotAuthenticated("This takes the operator's token.", reason="operator_token")
        if scope["method"] != errand.method:
            raise HTTPException(405, headers={"allow": errand.method})
        await answer(await errand.act(await whole(receive, scope, LONGEST)), send)


async def answer(content: Mapping[str, object], send: Send) -> None:
    """Send what was done, as JSON that nobody keeps."""
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
