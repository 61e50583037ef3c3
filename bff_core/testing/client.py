"""Runs a gateway in the test's process, with an HTTP client for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

BASE_URL = "http://localhost"
"""A host that a gateway accepts in development and in production."""


@asynccontextmanager
async def running(
    app: FastAPI, *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Run an app's lifespan and yield a client that calls it without a socket.

        async with running(app, headers={"Authorization": "Bearer demo-1"}) as client:
            answer = await client.get("/v1/home")

    `headers` are sent with every request. An unhandled exception becomes a response, as in
    production. Responses are buffered: run a server to test streams or clients that disconnect.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client,
    ):
        yield client
