"""The benchmark's proxy on this framework, with everything on that a gateway has by default."""

from typing import Annotated

from fastapi import Depends, Request

from bff_core import (
    ANYONE,
    Composition,
    ForwardedResponse,
    Upstream,
    Views,
    compose,
    forwarded_request,
    gateway,
)


class Files(Upstream):
    """The service that clients reach through the gateway."""


class Passage(Composition):
    """The way to the service."""

    files: Files


views = Views(access=ANYONE)


@views.get("/{path:path}")
async def forward(
    path: str, request: Request, passage: Annotated[Passage, Depends(compose(Passage))]
) -> ForwardedResponse:
    """Pass a request on."""
    del path
    return ForwardedResponse(
        await passage.files.forward(forwarded_request(request, audience=None)), request
    )


app = gateway("bench", services=[Files], faces=[views])
