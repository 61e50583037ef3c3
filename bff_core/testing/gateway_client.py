"""Runs a gateway in the test's process, with an HTTP client for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff_core.auth.viewer import Viewer
from bff_core.gateway.app import Gateway
from bff_core.testing.calls import Calls
from bff_core.testing.gateway_under_test import (
    App,
    ScriptedServices,
    graphql_path,
    install,
    make,
)
from bff_core.testing.scripts import Script, ScriptedService
from bff_core.testing.viewers import GivenViewers, credentials_of

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
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=_in_process(app), base_url=BASE_URL, headers=headers) as client,
    ):
        yield client


def _in_process(app: FastAPI) -> httpx.ASGITransport:
    return httpx.ASGITransport(app, raise_app_exceptions=False)


class InProcessTransport(httpx.AsyncBaseTransport):
    """Calls an app without a socket.

    An unhandled exception becomes a response, as in production. A response that breaks off after
    its head raises `httpx.RemoteProtocolError`, as over a socket.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the whole response."""
        exchange = _Exchange(self._app)
        transport = httpx.ASGITransport(exchange, raise_app_exceptions=False)
        response = await transport.handle_async_request(request)
        if exchange.has_started and not exchange.is_complete:
            reason = "" if exchange.error is None else f": {exchange.error!r}"
            body = b"".join([chunk async for chunk in response.stream])  # type: ignore[union-attr]  # a stream of httpx is asynchronous here
            raise httpx.RemoteProtocolError(
                f"the response broke off after {len(body)} bytes{reason}", request=request
            ) from exchange.error
        return response


class _Exchange:
    """Runs an app once, and watches whether its response is complete."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.has_started = False
        self.is_complete = False
        self.error: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.has_started = True
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                self.is_complete = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            self.error = error
            raise


class GatewayClient(httpx.AsyncClient):
    """A client of a gateway whose services are scripted; open one with `client(...)`.

    It sends requests like every `httpx.AsyncClient`. `calls` are the calls that the services
    received, `services` their scripts by name. `answer.elapsed` is in the time of the loop, which
    is exact in virtual time. A stream that breaks off raises `httpx.RemoteProtocolError`.
    """

    def __init__(
        self,
        app: Gateway,
        services: ScriptedServices,
        viewers: GivenViewers,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(transport=InProcessTransport(app), base_url=BASE_URL, headers=headers)
        self.app = app
        self._scripted = services
        self._viewers = viewers

    @property
    def calls(self) -> Calls:
        """The calls that the services received, in the order of their beginning."""
        return self._scripted.calls

    @property
    def services(self) -> Mapping[str, ScriptedService]:
        """The services by name; `services["users"].then(hang())` replaces a script."""
        return self._scripted.by_name

    def as_viewer(self, viewer: Viewer | str) -> "GatewayClient":
        """Return a client of the same gateway that is signed in as another viewer."""
        if self.app.config.authenticator is None:
            raise TypeError(
                f"the gateway {self.app.title!r} has no authenticator: open the client with "
                "client(app, viewer=...), so that viewers can sign in"
            )
        headers = {"authorization": self._credentials(viewer)}
        return GatewayClient(self.app, self._scripted, self._viewers, {**self.headers, **headers})

    def sign_in(self, viewer: Viewer | str) -> None:
        """Send all further requests as a viewer."""
        self.headers["authorization"] = self._credentials(viewer)

    async def graphql(
        self, query: str, /, *, operation_name: str | None = None, **variables: object
    ) -> httpx.Response:
        """Send a query or a mutation with its variables to the GraphQL endpoint."""
        body = {"query": query, "variables": variables, "operationName": operation_name}
        return await self.post(graphql_path(self.app), json=body)

    def assert_all_used(self) -> None:
        """Fail if a service has scripted replies that it did not send."""
        unused = [line for one in self.services.values() for line in one.unused()]
        if unused:
            raise AssertionError("\n".join([*unused, f"the calls were:\n{self.calls}"]))

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request; raise `UnscriptedCall` if a service had no script for its part in it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            response = await super().send(request, **options)
        except httpx.RemoteProtocolError:
            self._scripted.raise_errors()  # a mistake of the script is why the response broke off
            raise
        response.elapsed = timedelta(seconds=loop.time() - began)
        self._scripted.raise_errors()
        return response

    def _credentials(self, viewer: Viewer | str) -> str:
        return credentials_of(viewer, self._viewers, self.app.config.authenticator)


class OpenClient(Protocol):
    """Opens a client of one gateway: the fixture `gateway_client`."""

    def __call__(
        self,
        traffic: Mapping[str, Script] | None = None,
        /,
        *,
        viewer: Viewer | str | None = None,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        own_authenticator: bool = False,
        services: Mapping[str, Script] | None = None,
        **scripts: Script,
    ) -> AbstractAsyncContextManager[GatewayClient]:
        """Open a client, as `client(app, ...)` does."""
        ...


@asynccontextmanager
async def client(
    app: App,
    traffic: Mapping[str, Script] | None = None,
    /,
    *,
    viewer: Viewer | str | None = None,
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    own_authenticator: bool = False,
    services: Mapping[str, Script] | None = None,
    **scripts: Script,
) -> AsyncIterator[GatewayClient]:
    """Run a gateway whose services answer by script, and yield a client that calls it.

        async with client(make_app, catalog=[reply(200, TENT)], reviews=[hang()]) as c:
            answer = await c.get("/v1/products/8")

    Each keyword names a service. Its script is a step, steps in order (the last one repeats), a
    mapping from routes such as "GET /products/{id}" to these, or a function that takes the `Call`
    and returns a step or a `Reply`. `services` has scripts of services whose names are no keywords,
    `traffic` those of a recording: `replay("traffic.jsonl")`. A call without a script fails the
    test with `UnscriptedCall`.

    `app` is a gateway, a function that makes one, or where it is: "shop:make_app". A gateway that
    is made here does not read the environment; `environ` has its variables, and services without
    an address get one. `viewer` signs in every request: a user id, or a `Viewer` with scopes and
    roles. The demo authenticator replaces that of the gateway, unless `own_authenticator` is set.
    `headers` are sent with every request.
    """
    __tracebackhide__ = True
    made = make(app, environ=environ, has_own_authenticator=own_authenticator)
    before, viewers = made.config, GivenViewers()
    scripted = ScriptedServices(made, traffic or {}, {**(services or {}), **scripts})
    install(made, scripted, viewers, viewer)
    try:
        async with (
            made.router.lifespan_context(made),
            GatewayClient(made, scripted, viewers, headers or {}) as opened,
        ):
            if viewer is not None:
                opened.sign_in(viewer)
            yield opened
            scripted.raise_errors()
    finally:
        made.configure(before)
