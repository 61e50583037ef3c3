"""Gateways that pass requests on to the service `files`: by a view, by a proxied route."""

from typing import Annotated

from fastapi import Depends, Request

from bff_core import (
    ANYONE,
    Composition,
    EdgeOptions,
    ForwardedResponse,
    Gateway,
    Policy,
    Settings,
    Upstream,
    Views,
    compose,
    forwarded_request,
    gateway,
)
from bff_core.proxy import Match, Proxy, Route


class Files(Upstream):
    """A service that clients reach through the gateway."""

    policy = Policy(retry=None)


class Passage(Composition):
    """The way to the service."""

    files: Files

    async def forward(self, request: Request) -> ForwardedResponse:
        """Pass a request on."""
        forwarded = forwarded_request(request, audience=None)
        return ForwardedResponse(await self.files.forward(forwarded), request)


views = Views(access=ANYONE)
Way = Annotated[Passage, Depends(compose(Passage))]


@views.get("/files/{path:path}")
async def read(path: str, request: Request, way: Way) -> ForwardedResponse:
    """Pass a read on."""
    return await way.forward(request)


@views.post("/files/{path:path}")
async def write(path: str, request: Request, way: Way) -> ForwardedResponse:
    """Pass a write on."""
    return await way.forward(request)


def make_app(settings: Settings | None = None) -> Gateway:
    """Make the gateway."""
    options = EdgeOptions(max_body=2**40)
    return gateway("files", services=[Files], faces=[views], settings=settings, options=options)


def make_proxied_app(settings: Settings | None = None) -> Gateway:
    """Make a gateway whose route has no code."""
    route = Route("files", Match("/files/{path:path}"), to=Files, access=ANYONE, max_body=2**40)
    return gateway("files", faces=[Proxy(routes=[route])], settings=settings)
