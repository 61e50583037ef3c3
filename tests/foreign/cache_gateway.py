"""A gateway that caches what it forwards, between the public HTTP cache suite and its origin."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core import (
    Cache,
    Composition,
    EdgeOptions,
    ForwardedResponse,
    Policy,
    Upstream,
    compose,
    forwarded_request,
    gateway,
)


class Origin(Upstream):
    """The origin of the suite."""

    policy = Policy(
        public=True,
        cache=Cache(heuristic=0.1),
        retry=None,
        breaker=None,
        bulkhead=None,
        timeout=9.0,
        attempt_timeout=9.0,
    )


class Passage(Composition):
    """The way to the origin."""

    origin: Origin

    async def forward(self, request: Request) -> ForwardedResponse:
        """Forward a request; its reply may come from the cache, and is for everybody."""
        forwarded = forwarded_request(
            request, audience=None, with_credentials=True, is_streamed=False
        )
        return ForwardedResponse(await self.origin.forward(forwarded), request)


router = APIRouter()


@router.api_route(
    "/{path:path}",
    methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "M-SEARCH"],
)
async def forward(
    path: str, request: Request, way: Annotated[Passage, Depends(compose(Passage))]
) -> ForwardedResponse:
    """Forward any request."""
    return await way.forward(request)


class PlainVary:
    """Takes `Accept-Encoding` out of `Vary`.

    The gateway compresses, and so each of its answers varies by it; the suite compares the field
    with that of its origin, letter by letter.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Call the gateway."""

        async def plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*_plain(message["headers"])]}
            await send(message)

        await self._app(scope, receive, plain)


def _plain(fields):
    for name, value in fields:
        if name.lower() == b"vary":
            parts = [one for one in value.split(b", ") if one.lower() != b"accept-encoding"]
            if parts:
                yield name, b", ".join(parts)
        else:
            yield name, value


def make_app() -> ASGIApp:
    """Make the gateway."""
    app = gateway("cache", services=[Origin], options=EdgeOptions(max_body=2**24))
    app.include_router(router)
    return PlainVary(app)
