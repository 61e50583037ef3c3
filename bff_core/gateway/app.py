"""The FastAPI app of one gateway, with the edge and the fast path in front."""

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import chain
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.endpoints import AdminEndpoints, admin_actions
from bff_core.admin.operations import operation_actions
from bff_core.admin.operator_token import OperatorToken
from bff_core.admin.policies import Reload
from bff_core.admin.webhook import Webhook
from bff_core.auth.access import ANYONE
from bff_core.auth.authenticator import names_of
from bff_core.cache.response_cache import NO_CACHE, ResponseCache
from bff_core.compat.fastapi import is_traced
from bff_core.compat.starlette import wrap_router
from bff_core.composition.wiring import Wiring
from bff_core.edge.body_checks import BodyChecks
from bff_core.edge.entity_tags import with_entity_tag
from bff_core.edge.error_responses import (
    install_in_mounted_apps,
    install_problem_handlers,
    noting,
)
from bff_core.edge.health import About, Readiness
from bff_core.edge.redirects import RelativeRedirects
from bff_core.edge.security_headers import DOCS_POLICY, with_policy
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.strict_numbers import refuse_non_numbers
from bff_core.edge.viewer_hash import ViewerHash
from bff_core.errors import ConfigurationError
from bff_core.gateway.authentication import readiness_checks
from bff_core.gateway.captures import Captures
from bff_core.gateway.config import GatewayConfig
from bff_core.gateway.console import ConsoleMount, make_pages, serves_console
from bff_core.gateway.development_pages import CONSOLE_VARIABLE, DevelopmentPages
from bff_core.gateway.index_page import IndexRow, rows_of
from bff_core.gateway.metrics import GatewayMetrics, metrics_sink
from bff_core.gateway.metrics_page import MetricsPage, has_metrics_route
from bff_core.gateway.operations import OperatorActions
from bff_core.gateway.pipeline import EdgeParts, edge
from bff_core.gateway.recorded_parts import PartsRecorder
from bff_core.gateway.reload import ReloadsRoutes, file_of_routes, prepare_reload
from bff_core.gateway.running import RunningGateway, StoppedGateway
from bff_core.limits.memory import MemoryLimitStore
from bff_core.routing.access import (
    RouteAccess,
    check_rules,
    effective,
    guarded,
    refuse_bare_cookies,
)
from bff_core.routing.fast_path import FastPath
from bff_core.routing.route_table import RouteTable
from bff_core.routing.slow_path import SlowPath
from bff_core.routing.wiring import WIRING
from bff_core.settings.values import base_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.user_agent import framework_version

Lifespan = Callable[["Gateway"], AbstractAsyncContextManager[None]]
"""Returns a context that is open while a gateway runs."""

GATEWAY = "bff.gateway"
"""Where the lifespan state holds the gateway, so that the server finds it behind middleware."""


class Gateway(FastAPI):
    """A FastAPI app with the edge in front of it; make one with `gateway(...)`.

    All of FastAPI works: `include_router`, `dependency_overrides`, middleware. `services` are the
    upstream clients: `repr(app.services[Catalog])` shows how one is called, and calls work while
    the app runs. `/readyz` reports `readiness`. `edge_options` are the limits of the edge.
    `operations` are what operators may do while it runs.
    """

    def __init__(
        self,
        config: GatewayConfig,
        services: Mapping[type[Upstream], Upstream],
        *,
        lifespan: Lifespan,
        **fastapi: Any,
    ) -> None:
        super().__init__(title=config.name, lifespan=lifespan, **fastapi)
        self.fast_path = FastPath(self)
        guarded(self, None)  # in another gateway it checks its rules for its own viewers
        self.configure(config)
        self.lifespan_state: Mapping[str, object] = {}
        self._state: RunningGateway | StoppedGateway = StoppedGateway(services)
        self._is_direct = False
        self.metrics: GatewayMetrics | None = None
        self.route_reload: ReloadsRoutes | None = None
        self.reload_everywhere: Reload | None = None
        """Reloads all workers of our own server together, while it serves."""
        self.console = ConsoleMount(partial(make_pages, self))
        install_problem_handlers(self)

    def configure(self, config: GatewayConfig) -> None:
        """Replace the configuration of a gateway that does not run, as the test kit does."""
        self.config = config
        self.settings, self.events = config.settings, config.events
        self.has_cache, self.edge_options = config.has_cache, config.options
        self.shedding = SheddingController(config.options, events=config.events, clock=config.clock)
        self.readiness = Readiness(
            [("upstreams", self._unready), *readiness_checks(config.authenticator)]
        )
        self.local_limits = MemoryLimitStore(config.clock)
        self.rate_limited = {limit.name: 0 for limit in config.limits}
        self.operations = OperatorActions(
            lambda: self.running, config.events, has_shared_cache=bool(config.settings.cache_url)
        )
        self.operator_token = OperatorToken(
            config.settings.operator_token.get_secret_value(), config.events, config.clock
        )
        self.captures = Captures() if config.settings.env == "development" else None
        self.parts_recorder = PartsRecorder()  # used in development
        self.middleware_stack = None

    def setup(self) -> None:
        """Add FastAPI's own routes, which anyone may call.

        The pages of documentation may load their scripts. The OpenAPI document has an entity tag,
        so that clients can revalidate it.
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
        scope[WIRING] = self._state.wiring
        if self._is_direct and scope["type"] == "http" and self.middleware_stack is not None:
            scope["app"] = self
            await self.middleware_stack(scope, receive, send)
            return
        if scope["type"] == "lifespan":
            scope.setdefault("state", {})[GATEWAY] = self
            self.lifespan_state = scope["state"]
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Put the edge and the fast path in front of FastAPI's own stack."""
        config, settings = self.config, self.settings
        refuse_bare_cookies(self.routes)
        refuse_non_numbers(self.routes)
        table = self.route_table()
        check_rules(table)
        install_in_mounted_apps(self.routes)
        wrap_router(self.router, partial(BodyChecks, table=table))
        handlers, noted = self.exception_handlers, noting(self.exception_handlers)
        self.exception_handlers = noted
        following = SlowPath(RelativeRedirects(super().build_middleware_stack()), table)
        self.exception_handlers = handlers
        self.fast_path.assemble(table, following=following, handlers=noted)
        self.shedding.set_routes(table)
        is_development = settings.env == "development"
        elsewhere = os.environ.get(CONSOLE_VARIABLE, "") if is_development else ""
        parts = EdgeParts(
            about=About(self.title, framework_version(), settings.revision),
            readiness=self.readiness,
            events=config.events,
            routes=table,
            authenticator=config.authenticator,
            limits=config.limits,
            rate_limited=self.rate_limited,
            limit_store=(
                (lambda: self.running.shared.limits)
                if settings.limits_url
                else (lambda: self.local_limits)
            ),
            idempotency_store=(
                (lambda: self.running.shared.idempotency) if settings.idempotency_url else None
            ),
            pages=self._development_pages(table, elsewhere) if is_development else None,
            admin=self._admin_endpoints(),
            webhook=self._webhook(),
            metrics=self._metrics_page(table),
            console=self.console if serves_console(settings, table) and not elsewhere else None,
            own=config.concerns,
            shedding=self.shedding,
            base=base_of(settings.public_url),
            clock=config.clock,
            log_headers=config.log_headers,
            viewer_hash=ViewerHash(settings.viewer_hash_keys),
            is_development=is_development,
            reloads_routes=any(map(file_of_routes, config.faces)),
        )
        if self.captures is None:
            return edge(self.fast_path, config.options, parts)
        captures, recorded = self.captures, self.parts_recorder.recording(self.fast_path)
        return captures.outside(edge(captures.inside(recorded), config.options, parts))

    def route_table(self) -> RouteTable:
        """Return the table of all routes; once the app is assembled, the one that requests use."""
        if self.middleware_stack is not None:
            return self.fast_path.table
        return RouteTable.of(self.routes, self.fast_path.compiled)

    def _development_pages(self, table: RouteTable, console: str) -> DevelopmentPages:
        paths = [path for one in self.config.faces if (path := getattr(one, "path", ""))]
        return DevelopmentPages(
            self.title,
            table,
            console=console,
            rows=self._index_rows,
            graphql=paths,
        )

    def _index_rows(self) -> list[IndexRow]:
        document = {} if self.openapi_url is None else self.openapi()
        return list(rows_of(self.routes, self.access, document))

    def _admin_endpoints(self) -> AdminEndpoints | None:
        actions = admin_actions(
            reload=self.reload if self.reloaded_files else None,
            cache=self._response_cache if self.has_cache else None,
            after_purge=self.operations.after_purge,
            authenticator=self.config.authenticator,
            operations=operation_actions(
                self.operations.audited,
                self.operations.upstreams,
                self.operations.sagas if self.config.sagas is not None else None,
                (lambda: self._counted().mirrors()) if metrics_sink(self.events) else None,
            ),
        )
        token = self.operator_token
        return AdminEndpoints(token=token, actions=actions) if token.is_set else None

    def _metrics_page(self, table: RouteTable) -> MetricsPage | None:
        """Return `/metrics`; None if no token opens it, or a route of the app has its path."""
        token, sink = self.operator_token, metrics_sink(self.events)
        if not token.is_set or sink is None or has_metrics_route(table):
            return None
        return MetricsPage(
            token=token, scrape=lambda accept, seconds: self._counted().scrape(accept, seconds)
        )

    def _counted(self) -> GatewayMetrics:
        if self.metrics is None:
            raise ConfigurationError("the metrics are available while the lifespan runs")
        return self.metrics

    def _webhook(self) -> Webhook | None:
        if not (self.has_cache and self.settings.purge_secrets):
            return None
        return Webhook(self.settings.purge_secrets, cache=self._response_cache, wall=time.time)

    @property
    def services(self) -> Mapping[type[Upstream], Upstream]:
        """The service clients; they can be called while the app runs."""
        return self._state.services

    @property
    def access(self) -> tuple[RouteAccess, ...]:
        """The access rules of all routes, then those of GraphQL fields that declare one."""
        by = names_of(self.config.authenticator)
        of_faces = (face.access(by) for face in self.config.faces)
        return (*effective(self.routes, by), *chain.from_iterable(of_faces))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, with what the gateway does to its operations."""
        # Imported here because most processes are never requested to return the document.
        from bff_core.gateway.openapi.document import complete, made  # noqa: PLC0415 # see above

        known, document = self.openapi_schema, made(super().openapi)
        if document is not known:  # FastAPI makes another if a route was added since
            self.openapi_schema = None  # until it is complete
            complete(
                document,
                self.routes,
                self.access,
                authenticator=self.config.authenticator,
                options=self.config.options,
                limits=self.config.limits,
            )
            self.openapi_schema = document
        return document

    @property
    def cache(self) -> ResponseCache:
        """The cache of services' replies and of composed answers, while the app runs.

        `await app.cache.purge("product:42")` drops all entries with a tag, in all processes. Raises
        `ConfigurationError` if no policy caches.
        """
        return self._response_cache()

    @property
    def wiring(self) -> Wiring:
        """The services and the viewer that compositions get, while the app runs."""
        return self.running.wiring

    @property
    def is_running(self) -> bool:
        """Whether its lifespan runs."""
        return isinstance(self._state, RunningGateway)

    @property
    def running(self) -> RunningGateway:
        """The connections, stores and tasks of this run.

        Raises `ConfigurationError` if the app does not run.
        """
        if isinstance(self._state, StoppedGateway):
            raise ConfigurationError(
                f"the gateway {self.title!r} does not run: its connections and stores are open "
                "while its lifespan runs"
            )
        return self._state

    def reload_policies(self) -> tuple[str, ...]:
        """Read the policy file (`BFF_POLICIES`) again; return the options that changed.

        Raises `ConfigurationError` for a wrong file, and then changes nothing.
        """
        return self.running.policies.reload()

    async def reload(self) -> Sequence[str]:
        """Read what was configured by files again, in all workers of our server or in none.

        Returns what changed. Raises `ConfigurationError` for a wrong file, which changes nothing.
        """
        if self.reload_everywhere is not None:
            return await self.reload_everywhere()
        prepared = await prepare_reload(self.route_reload, self.running.policies)
        prepared.switch()
        return prepared.changes

    @property
    def reloaded_files(self) -> tuple[str, ...]:
        """The files whose content is applied while the gateway runs."""
        routes = [str(path) for one in self.config.faces if (path := file_of_routes(one))]
        return (*routes, self.settings.policies) if self.settings.policies else (*routes,)

    def _reload_of_routes(self, running: RunningGateway) -> ReloadsRoutes | None:
        proxies = [one for one in self.config.faces if file_of_routes(one)]
        if not proxies:
            return None
        # Imported here because most gateways have no file of routes.
        from bff_core.gateway.route_reload import reload_of  # noqa: PLC0415 # see above

        return reload_of(self, self.fast_path, proxies[0], self.config, running)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[RunningGateway]:
        """Open the connections and stores that requests use until the context ends."""
        stopped = self._state
        try:
            async with self.config.open(self.shedding.pressure.sheds_parts) as running:
                self._state = running
                self.route_reload = self._reload_of_routes(running)
                # FastAPI looks up its telemetry at every request; the gateway does so once.
                self._is_direct = not (self.root_path or is_traced(self))
                self.readiness.open()
                yield running
                self.readiness.drain()
        finally:
            self.shedding.loop_lag.stop()
            self._is_direct, self._state, self.route_reload = False, stopped, None

    def _unready(self) -> str | None:
        """Name the critical upstreams whose circuits are open."""
        down = [one.name for one in self._state.stacks if one.policy.critical and one.is_open]
        return f"circuit open: {', '.join(down)}" if down else None

    def _response_cache(self) -> ResponseCache:
        cache = self.running.shared.cache if self.has_cache else None
        if cache is None:
            raise ConfigurationError(NO_CACHE)
        return cache
