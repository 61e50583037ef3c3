"""Assembles one BFF: settings, services, edge and faces become a FastAPI app."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import chain
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.endpoints import admin_actions
from bff_core.auth.access import ANYONE
from bff_core.auth.authenticator import Authenticator, MakeAuthenticator, Resources, names_of
from bff_core.auth.demo import DemoViewer
from bff_core.auth_routes.routes import routes_for as signin_routes
from bff_core.background import Background
from bff_core.cache.response_cache import ResponseCache
from bff_core.clock import Clock, chance, monotonic
from bff_core.composition.wiring import Wiring
from bff_core.edge.body_checks import BodyChecks
from bff_core.edge.error_responses import install_problem_handlers, noting
from bff_core.edge.health import About, Readiness
from bff_core.edge.options import EdgeOptions
from bff_core.edge.preconditions import with_entity_tag
from bff_core.edge.rate_limits import checked
from bff_core.edge.security_headers import DOCS_POLICY, with_policy
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.slow_path import inner
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.gateway import factory
from bff_core.gateway.pipeline import edge
from bff_core.gateway.shared_state import SharedState
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy_reload import PolicyFile, Reload
from bff_core.rest.openapi import PROBLEM
from bff_core.routing.access import RouteAccess, RouteRules, effective, guarded
from bff_core.routing.face import Face
from bff_core.routing.fast_path import FastPath
from bff_core.routing.security_schemes import with_security
from bff_core.routing.wiring import WIRING
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.settings.values import base_of
from bff_core.startup.arguments import check_arguments, check_keywords, check_parts
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport, UpstreamStack, wire
from bff_core.upstream.user_agent import user_agent

Lifespan = Callable[["Gateway"], AbstractAsyncContextManager[None]]
GATEWAY = "bff.gateway"
"""Where the state of the lifespan holds the gateway, for the server, whatever is wrapped around."""


class Gateway(FastAPI):
    """A FastAPI app in front of which stands the edge; make one with `gateway(...)`.

    Everything that FastAPI offers works: `include_router`, `dependency_overrides`, middleware.
    `services` are the upstream clients: `repr(app.services[Catalog])` shows how one is called, and
    calls work while the app runs. `readiness` is what `/readyz` shows, `edge_options` its bounds.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: Settings,
        events: Events,
        options: EdgeOptions,
        authenticator: Authenticator | None,
        limits: Sequence[Limit] = (),
        sagas: Sequence[type[Saga]] = (),
        faces: Sequence[Face] = (),
        has_cache: bool = False,
        clock: Clock,
        **fastapi: Any,
    ) -> None:
        super().__init__(title=name, **fastapi)
        self.settings, self.events = settings, events
        self.has_cache, self.faces, self._limits = has_cache, faces, checked(limits)
        self.services: dict[type[Upstream], Upstream] = {}
        self._planned = self.services
        self.wiring: Wiring | None = None
        self._stores = SharedState(
            name,
            settings,
            options.idempotency,
            sagas,
            has_cache=has_cache,
            clock=clock,
            events=events,
        )
        self._is_direct = False
        self.fast_path = FastPath(self)
        self._roster: UpstreamRegistry | None = None
        self._reload: Reload | None = None
        self._clock, self.edge_options = clock, options
        self.shedding = SheddingController(options, events=events, clock=clock)
        self._authenticator = authenticator
        self.readiness = Readiness([("upstreams", self._unready), *factory.checks(authenticator)])
        install_problem_handlers(self)

    def setup(self) -> None:
        """Add FastAPI's own routes, for anyone; its pages may load what they need.

        The OpenAPI document has an entity tag, so that a client that has it gets a 304.
        """
        super().setup()
        for route in [one for one in self.routes if isinstance(one, Route)]:
            guarded(route.endpoint, ANYONE)
            if route.path in {self.docs_url, self.redoc_url}:
                route.app = with_policy(route.app, DOCS_POLICY)
            if route.path == self.openapi_url:
                route.app = with_entity_tag(route.app)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve one request, web socket or lifespan."""
        scope[WIRING] = self.wiring
        if self._is_direct and scope["type"] == "http" and self.middleware_stack is not None:
            scope["app"] = self
            await self.middleware_stack(scope, receive, send)
            return
        if scope["type"] == "lifespan":
            scope.setdefault("state", {})[GATEWAY] = self
            self.state.lifespan = scope["state"]
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Put the edge and the fast lane in front of FastAPI's own stack."""
        rules = RouteRules(self.routes)
        self.router.middleware_stack = BodyChecks(self.router.middleware_stack, self.routes)
        handlers, self.exception_handlers = self.exception_handlers, noting(self.exception_handlers)
        self.fast_path.following = inner(super().build_middleware_stack(), self.routes, rules)
        self.exception_handlers = handlers
        self.shedding.learn(self.routes)
        return edge(
            self.fast_path,
            self.edge_options,
            about=About(self.title, factory.own_version(), self.settings.revision),
            readiness=self.readiness,
            events=self.events,
            authenticator=self._authenticator,
            admit=rules.admit,
            template=rules.template,
            door=self.shedding,
            store=self._stores.answers if self.settings.idempotency_url else None,
            limits=self._limits,
            limit_store=self._stores.counts if self.settings.limits_url else None,
            token=self.settings.operator_token.get_secret_value(),
            errands=admin_actions(
                read_policies=self.reload_policies if self.settings.policies else None,
                cache=self._stores.cache if self.has_cache else None,
                authenticator=self._authenticator,
            ),
            secrets=self.settings.purge_secrets if self.has_cache else (),
            cache=self._stores.cache,
            base=base_of(self.settings.public_url),
            clock=self._clock,
        )

    @property
    def access(self) -> tuple[RouteAccess, ...]:
        """Who may use what: each route, then the fields of GraphQL that say so."""
        by = names_of(self._authenticator)
        told = (one.access(by) for one in self.faces)
        return (*effective(self.routes, by), *chain.from_iterable(told))

    def openapi(self) -> dict[str, Any]:
        """Return the document of all routes, with who may use them."""
        is_new, told = self.openapi_schema is None, super().openapi()
        return with_security(told, self._authenticator, self.access) if is_new else told

    @property
    def cache(self) -> ResponseCache:
        """What is kept of services' replies and of composed answers, while the app runs.

        `await app.cache.purge("product:42")` drops what is known by a tag, in all processes.
        Raises `ConfigurationError` where nothing is ever kept.
        """
        return self._stores.cache()

    def reload_policies(self) -> tuple[str, ...]:
        """Read the file that `BFF_POLICIES` names again; return what changed, an option each.

        Raises `ConfigurationError` for a wrong file, and changes nothing then.
        """
        if self._reload is None:
            raise ConfigurationError("policies are reloaded while the gateway runs")
        return self._reload.again()

    def plan(self, services: dict[type[Upstream], Upstream]) -> None:
        """Take the services that `services` has while the app does not run."""
        self.services = self._planned = services

    @property
    def _stacks(self) -> list[UpstreamStack]:
        return [] if self._roster is None else self._roster.stacks

    def _unready(self) -> str | None:
        """Tell which critical upstream's circuit is open."""
        down = [stack.name for stack in self._stacks if stack.is_critical and stack.is_open]
        return f"circuit open: {', '.join(down)}" if down else None

    @asynccontextmanager
    async def running(
        self, policies: PolicyFile, make_transport: MakeTransport
    ) -> AsyncIterator[None]:
        """Hold the services open; the lifespan of the app."""
        loop, clock = asyncio.get_running_loop(), self._clock
        background = Background(loop, self.events)
        async with AsyncExitStack() as closing:
            await closing.enter_async_context(self._stores.opened(background))
            closing.push_async_callback(background.aclose)
            closing.callback(self.shedding.watch.stop)
            cache = self.cache if self.has_cache else None
            shared = Runtime(
                *("", loop, clock, chance, self.events, background.spawn, None, cache),
                agent=user_agent(self.title),
            )
            self._roster = factory.roster(self.settings, shared, make_transport)
            closing.push_async_callback(self._roster.aclose)
            self._reload = Reload(policies, self._roster, self.events)
            self._reload.start()
            self.services = self._roster.services
            await closing.enter_async_context(self._authenticating(background))
            self.wiring = Wiring(
                [*self.services.values(), *filter(None, [self._stores.desk])],
                loop=loop,
                clock=clock,
                events=self.events,
                brownout=self.shedding.pressure,
                cache=cache,
            )
            await closing.enter_async_context(self._stores.journalled(self.wiring, background))
            closing.callback(self._forget)
            # FastAPI asks for its telemetry at every request; here it is settled at start-up.
            self._is_direct = not (self.root_path or self._native_telemetry.enabled())
            self.readiness.open()
            with self._reload.on_hangup(loop):
                yield
            self.readiness.drain()

    def _authenticating(self, background: Background) -> AbstractAsyncContextManager[None]:
        """Hold open what the authenticator needs."""
        resources = Resources(
            self.title,
            self.settings,
            self.services,
            self._stores.links,
            background.spawn,
            self._clock,
            self.events,
        )
        return factory.opened(self._authenticator, resources)

    def _forget(self) -> None:
        self._roster = self._reload = self.wiring = None
        self.services = self._planned
        self._is_direct = False


def gateway(
    name: str,
    *,
    services: Sequence[type[Upstream]] = (),
    faces: Sequence[Face] = (),
    settings: Settings | None = None,
    authenticator: Authenticator | MakeAuthenticator | None = None,
    demo: DemoViewer | None = None,
    limits: Sequence[Limit] = (),
    sagas: Sequence[type[Saga]] = (),
    options: EdgeOptions | None = None,
    events: Events | None = None,
    transport: MakeTransport = wire,
    clock: Clock = monotonic,
    lifespan: Lifespan | None = None,
    **fastapi: Any,
) -> Gateway:
    """Return the app of one BFF: services wired, faces served, the edge in front.

    What is not given comes from the environment (`Settings.load()`): addresses of the services
    (`BFF_UPSTREAM_<NAME>`), the edge's bounds, logs. `authenticator` may be a function that makes
    one of the settings; `BFF_AUTH=demo` goes before it, in development: `demo` makes its viewers of
    user ids. `limits` bound how often callers ask, `sagas` are the writes that the journal keeps.
    `lifespan` runs inside the gateway's own, services open. Further keywords go to `FastAPI`.

    Raises `ConfigurationError` for wrong wiring: a screen that needs a service which is not
    listed, a variable that is missing or out of range.
    """
    check_arguments(
        name,
        settings,
        services=services,
        faces=faces,
        limits=limits,
        sagas=sagas,
        authenticator=authenticator,
    )
    check_parts(
        options=options,
        events=events,
        demo=demo,
        transport=transport,
        clock=clock,
        lifespan=lifespan,
    )
    check_keywords(fastapi, inspect.signature(gateway).parameters)
    settings = settings or Settings.load()
    asks = factory.authenticator(authenticator, settings, demo)
    services, settings = factory.with_those_of(asks, services, settings)
    policies = PolicyFile(settings.policies, services)
    if settings.env == "production":  # the pages load scripts from elsewhere
        fastapi = {"docs_url": None, "redoc_url": None} | fastapi
    fastapi["responses"] = {"default": PROBLEM} | fastapi.get("responses", {})
    options, own = options or EdgeOptions.of(settings), signin_routes(asks)
    checks = factory.checks_of(settings, options, asks, services, limits, sagas=sagas, own=own)
    app = Gateway(
        name,
        settings=settings,
        events=events if events is not None else factory.logging(settings),
        options=options,
        authenticator=asks,
        limits=limits,
        sagas=sagas,
        faces=faces,
        has_cache=checks.has_cache,
        lifespan=factory.lifespan(checks, policies, transport, lifespan),
        clock=clock,
        **fastapi,
    )
    app.router.routes.extend(own)
    for face in faces:
        face.install(app, app.fast_path, is_development=settings.env == "development")
    for screen in chain(sagas, *(face.compositions for face in faces)):
        factory.check(screen, services, app.routes, has_cache=app.has_cache, sagas=sagas)
    factory.check_services(services, settings)
    # What is wrong with policies is found before anything is opened.
    app.plan(factory.planned(policies.read(), settings, transport, has_cache=app.has_cache))
    return app
