"""Puts an application behind an edge and a client in front of it, in process."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from bff_core.edge.health import About, Readiness
from bff_core.edge.options import EdgeOptions
from bff_core.events import AnyEvent, Events
from bff_core.gateway.pipeline import EdgeParts, edge


@dataclass
class Edged:
    """An application behind an edge; `ask` sends HTTP requests, `speak` ASGI messages."""

    app: Callable[..., Any]
    happened: list[AnyEvent] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, method: str, url: str, **options) -> httpx.Response:
        """Send a request; as with a server, a crash of the application is not raised here."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, url, **options)

    async def get(self, url: str, **options) -> httpx.Response:
        """Send a GET."""
        return await self.ask("GET", url, **options)

    async def speak(self, headers=((b"host", b"testserver"),), body=(), **changes) -> None:
        """Call the application once, as a server does, with exactly these headers and chunks."""
        chunks = list(body) or [b""]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": list(headers),
            **changes,
        }

        async def receive():
            if not chunks:
                await asyncio.Event().wait()
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message):
            self.sent.append(message)

        await self.app(scope, receive, send)

    @property
    def status(self) -> int:
        """The status of the answer to `speak`."""
        return self.sent[0]["status"]

    @property
    def json(self) -> dict[str, Any]:
        """The JSON of the answer to `speak`."""
        return json.loads(b"".join(message.get("body", b"") for message in self.sent))

    def of(self, kind: type) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.happened if isinstance(event, kind)]


@pytest.fixture(scope="session")
def edged() -> Callable[..., Edged]:
    """Return a function that puts an application behind an edge, with `EdgeOptions`."""

    def build(
        app,
        *,
        authenticator=None,
        readiness=None,
        clock=None,
        limits=(),
        own=(),
        is_development=False,
        **options,
    ) -> Edged:
        happened: list[AnyEvent] = []
        wrapped = edge(
            app,
            EdgeOptions(**options),
            EdgeParts(
                about=About("shop", "1.2.3", "abc123"),
                readiness=readiness or Readiness(),
                events=Events(happened.append),
                authenticator=authenticator,
                limits=limits,
                own=own,
                clock=clock or _loop_time,
                is_development=is_development,
            ),
        )
        return Edged(wrapped, happened)

    return build


def _loop_time() -> float:
    """Return the time of the running loop, so that all code shares virtual time."""
    return asyncio.get_running_loop().time()


@pytest.fixture(scope="session")
def answering() -> Callable[..., Any]:
    """Return a function that makes an application with a constant answer."""

    def build(status=200, headers=(), body=b"{}", scopes=None):
        async def app(scope, receive, send):
            if scopes is not None:
                scopes.append(scope["bff.scope"])
            await send({"type": "http.response.start", "status": status, "headers": list(headers)})
            await send({"type": "http.response.body", "body": body})

        return app

    return build
