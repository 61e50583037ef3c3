"""`Sandbox`: sends requests to the gateway of this process that no metric and no list counts.

The console computes with it what clients get of a screen, also while services fail. A sandbox has
an edge, services and connections of its own around the same routes. The gateway's limits, caches,
breakers, events and load shedding do not see its requests, and nothing is added to the path of
other requests.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from starlette.types import ASGIApp, Message
from starlette.types import Scope as ASGIScope

from bff_core.auth.authenticator import Authenticator, FirstOf, each_of
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.part import Part
from bff_core.composition.wiring import Wiring
from bff_core.console.in_process import scope_of
from bff_core.console.sandbox.services import Replies, SandboxCalls, current_calls, open_services
from bff_core.edge.health import About, Readiness
from bff_core.events import Events
from bff_core.gateway.app import Gateway
from bff_core.gateway.pipeline import EdgeParts, edge
from bff_core.gateway.recorded_parts import Composed
from bff_core.routing.wiring import WIRING
from bff_core.scope import Scope
from bff_core.upstream.client import Upstream

C = TypeVar("C", bound=Composition)

MAKE_REGISTRY: Final[ContextVar["MakeRegistry | None"]] = ContextVar("make_registry", default=None)
"""Makes the registry of each composition of the running request of a sandbox."""

HOST: Final = b"localhost"

DEMO_TOKEN: Final = b"bearer demo-"
"""How the credentials of a demo viewer begin, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRequest:
    """A request to send; `viewer` is a user id, which the demo authenticator signs in."""

    method: str
    target: str
    body: bytes = b""
    viewer: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswer:
    """What a client gets, and what it took.

    `calls` are those that it sent to services. `composed` are its compositions in their order: the
    class of each, and its registry. It took so many `seconds`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    calls: SandboxCalls
    composed: Sequence[Composed]
    seconds: float = 0.0

    @property
    def parts(self) -> list[Part[Any]]:
        """The parts of the compositions, in the order in which they started."""
        found = [part for _, one in self.composed for part in one.started.values()]
        return sorted(found, key=lambda part: part.started)


class MakeRegistry:
    """Makes registries for the compositions of one request, and lists them."""

    def __init__(self) -> None:
        self.made: list[Composed] = []

    def of(self, cls: type[Composition], usual: PartRegistry) -> PartRegistry:
        """Return the registry of a composition; `usual` is the one that a gateway makes."""
        self.made.append((cls, usual))
        return usual


class _SandboxWiring(Wiring):
    """Builds compositions from the services of a sandbox, with the registries of its request."""

    def add_all(self, other: Wiring) -> None:
        """Add what another wiring has beside service clients and the cache, such as sagas."""
        for service in other._services.values():  # noqa: SLF001 - same class
            if not isinstance(service, Upstream) and service is not other.cache:
                self.add(service)

    def build(self, cls: type[C], scope: Scope, inputs: Mapping[str, object]) -> C:
        """Return a composition for one request."""
        composition = super().build(cls, scope, inputs)
        make = MAKE_REGISTRY.get()
        if make is not None:
            composition.enter(make.of(cls, composition.part_registry))
        return composition


@dataclass(slots=True)
class _Sent:
    """The messages of an answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


class Sandbox:
    """Sends requests through an edge of its own; open one with `open_sandbox`.

    Reads of services are shared by all requests of a sandbox, so that answers differ only by what
    differs between the requests.
    """

    def __init__(self, app: Gateway, edged: ASGIApp, wiring: Wiring) -> None:
        self._app = app
        self._edged = edged
        self._wiring = wiring
        self.replies: Replies = {}

    async def send(
        self,
        request: SandboxRequest,
        *,
        broken: Collection[str] = (),
        make: MakeRegistry | None = None,
    ) -> SandboxAnswer:
        """Send a request while some services fail; status 0 means that it ended without answer."""
        calls, sent = SandboxCalls(broken, self.replies), _Sent()
        make = make or MakeRegistry()
        tokens = current_calls.set(calls), MAKE_REGISTRY.set(make)
        pending: list[Message] = [{"type": "http.request", "body": request.body}]

        async def receive() -> Message:
            return pending.pop() if pending else {"type": "http.disconnect"}

        started = time.perf_counter()
        try:
            await self._edged(self._scope(request), receive, sent.send)
        except Exception:  # noqa: BLE001 - the answer has the status 500 already, or none
            sent.status = sent.status or 500
        finally:
            current_calls.reset(tokens[0])
            MAKE_REGISTRY.reset(tokens[1])
        return SandboxAnswer(
            status=sent.status,
            headers=sent.headers,
            body=bytes(sent.body),
            calls=calls,
            composed=make.made,
            seconds=time.perf_counter() - started,
        )

    def _scope(self, request: SandboxRequest) -> ASGIScope:
        scope = scope_of(self._app, request.method, request.target, list(_headers(request)))
        asgi = {"version": "3.0", "spec_version": "2.3"}  # streams notice that the client has left
        return {**scope, "asgi": asgi, "app": self._app, WIRING: self._wiring}


def _headers(request: SandboxRequest) -> Iterable[tuple[bytes, bytes]]:
    yield b"host", HOST
    if request.viewer:
        yield b"authorization", f"Bearer demo-{request.viewer}".encode()
    if request.body:
        yield b"content-type", b"application/json"
        yield b"content-length", b"%d" % len(request.body)
    for name, value in request.headers:
        yield name.lower().encode("latin-1"), value.encode("latin-1")


def takes_demo_viewers(app: Gateway) -> bool:
    """Whether a sandbox signs in any user id, as `BFF_AUTH=demo` lets the gateway do."""
    return any(isinstance(one, DemoAuthenticator) for one in each_of(_authenticator_of(app)))


def _authenticator_of(app: Gateway) -> Authenticator | None:
    """Return the authenticator of a sandbox: in development it needs no sign-in.

    Requests with the credentials of a client are authenticated as the gateway does.
    """
    config = app.config
    if config.authenticator is None or config.settings.env != "development":
        return config.authenticator
    demo = _DemoOrOther(env=config.settings.env, viewer=config.demo or Viewer)
    return FirstOf(demo, config.authenticator)


class _DemoOrOther(DemoAuthenticator):
    """Accepts the credentials of demo viewers, and leaves others to the next authenticator."""

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a demo token; None for any other credentials."""
        credentials = scope.field(b"authorization") or b""
        is_demo = credentials.lower().startswith(DEMO_TOKEN)
        return await super().authenticate(scope) if is_demo else None


@asynccontextmanager
async def open_sandbox(app: Gateway) -> AsyncIterator[Sandbox]:
    """Open a sandbox of a gateway that runs; its connections are closed at the end."""
    events = Events()
    async with open_services(app, events) as registry:
        real = app.wiring
        wiring = _SandboxWiring(
            registry.services.values(),
            loop=asyncio.get_running_loop(),
            clock=app.config.clock,
            events=events,
        )
        wiring.add_all(real)
        sandbox = Sandbox(app, _edge_of(app, events), wiring)
        try:
            yield sandbox
        finally:
            for one in sandbox.replies.values():
                one.cancel()


def _edge_of(app: Gateway, events: Events) -> ASGIApp:
    """Return an edge in front of the gateway's routes: without limits, idempotency and shedding."""
    config = app.config
    if app.middleware_stack is None:  # it has answered nothing yet, not even its lifespan
        app.middleware_stack = app.build_middleware_stack()
    options = replace(
        config.options, allowed_hosts=("*",), idempotency=None, brownout=False, trusted_proxies=()
    )
    parts = EdgeParts(
        about=About(app.title, "", ""),
        readiness=Readiness([]),
        events=events,
        routes=app.route_table(),
        authenticator=_authenticator_of(app),
        own=config.concerns,
        clock=config.clock,
    )
    return edge(app.fast_path, options, parts)
