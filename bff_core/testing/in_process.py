"""Sends requests to an app in the process of the test, and raises what a broken response raises."""

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
