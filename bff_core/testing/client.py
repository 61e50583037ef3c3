"""A gateway that runs in the test's own process, and a client in front of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

BASE_URL = "http://localhost"
"""A host that a gateway answers to in development and production alike."""


@asynccontextmanager
async def running(
    app: FastAPI, *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Run an app's lifespan and yield a client that calls it without a socket.

        async with running(app, headers={"Authorization": "Bearer demo-1"}) as client:
            answer = await client.get("/v1/home")

    `headers` go with every request. An error that nobody handles is answered as it would be in
    production, not raised into the test. Answers arrive whole: streams and clients that leave
    need a server.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client,
    ):
        yield client
