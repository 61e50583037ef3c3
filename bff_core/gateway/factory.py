"""Makes a gateway: `gateway(...)` checks its arguments and returns the app."""

import os
from collections.abc import Sequence
from itertools import chain
from typing import Any

from typing_extensions import Unpack

from bff_core.auth.authenticator import Authenticator, MakeAuthenticator
from bff_core.auth.demo import DemoViewer
from bff_core.auth_routes.routes import routes_for as signin_routes
from bff_core.clock import Clock, monotonic
from bff_core.edge.concern import Concern
from bff_core.edge.header_propagation import propagation
from bff_core.edge.options import EdgeOptions
from bff_core.edge.rate_limits import checked
from bff_core.events import Events, Sink
from bff_core.gateway.app import Gateway, Lifespan
from bff_core.gateway.authentication import make_authenticator
from bff_core.gateway.config import GatewayConfig
from bff_core.gateway.lifespan import lifespan_of
from bff_core.gateway.metrics import counts
from bff_core.gateway.services import all_services, may_cache, planned_services
from bff_core.gateway.under_test import load_settings, with_test_values
from bff_core.keywords import checks_keywords
from bff_core.observe.access_log import AccessLog
from bff_core.observe.log import log_sink
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.observe.recording import recorder
from bff_core.observe.telemetry_sink import telemetry_sink
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy_reload import PolicyFile
from bff_core.rest.openapi import PROBLEM
from bff_core.routing.face import Face
from bff_core.routing.fastapi_options import FastAPIOptions
from bff_core.saga.coordinator import SagaRegistry
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.startup.arguments import check_arguments
from bff_core.startup.checks import Checks
from bff_core.startup.screens import check_screen
from bff_core.startup.services import check_services
from bff_core.startup.used_services import check_names, with_used
from bff_core.upstream.client import Upstream
from bff_core.upstream.stack import MakeTransport, wire
from bff_core.upstream.user_agent import framework_version


@checks_keywords
def gateway(
    name: str,
    *,
    services: Sequence[type[Upstream]] = (),
    faces: Sequence[Face] = (),
    settings: Settings | None = None,
    authenticator: Authenticator | type[Authenticator] | MakeAuthenticator | None = None,
    demo: DemoViewer | None = None,
    limits: Sequence[Limit] = (),
    sagas: Sequence[type[Saga]] = (),
    edge: Sequence[Concern] = (),
    log_headers: Sequence[str] = (),
    propagate_headers: Sequence[str] = (),
    options: EdgeOptions | None = None,
    sinks: Sequence[Sink] = (),
    events: Events | None = None,
    transport: MakeTransport = wire,
    clock: Clock = monotonic,
    lifespan: Lifespan | None = None,
    **fastapi: Unpack[FastAPIOptions],
) -> Gateway:
    """Return the app of one BFF: it wires the services, serves the faces, and adds the edge.

    The gateway has the services that the screens of its faces and sagas name as fields. `services`
    adds others: those of GraphQL resolvers that call `compose` themselves, of routes that are added
    to the app later, and of `app.services[...]`.

    Without `settings` and `options` the environment configures the gateway (`Settings.load()`):
    addresses of services (`BFF_UPSTREAM_<NAME>`), limits of the edge, logs. `authenticator` may
    also be a class, or a function that makes one from the settings. In development `BFF_AUTH=demo`
    replaces it, and `demo` makes viewers from user ids. `limits` are the rate limits of callers,
    `sagas` the writes that the journal records, `edge` your own checks of every request. The line
    of a request in the log has its `log_headers`; calls to services have the `propagate_headers` of
    the request. `sinks` receive each event beside the log; `events` replaces both, for tests.
    `lifespan` runs inside the gateway's own, after the services are open. `FastAPI` gets all other
    keywords.

    Raises `ConfigurationError` for wrong wiring: a saga that is not listed, two services with one
    name, a variable that is missing or out of range.
    """
    check_arguments(locals())
    settings = settings or load_settings()
    faces = with_proxy_file(faces, settings.proxy)
    made = make_authenticator(authenticator, settings, demo)
    services = with_used(services, faces, sagas)
    check_names(services)
    services, settings = all_services(services, made, settings)
    settings = with_test_values(services, settings)
    policies, options = PolicyFile(settings.policies, services), options or EdgeOptions.of(settings)
    own_routes, has_cache = signin_routes(made), may_cache(services, settings)
    checks = Checks(
        settings, options, made, services, limits, sagas, own_routes, has_cache=has_cache
    )
    checks.before_assembly()
    config = GatewayConfig(
        name=name,
        settings=settings,
        options=options,
        authenticator=made,
        limits=checked(limits),
        faces=faces,
        concerns=(*propagation(propagate_headers), *edge),
        sagas=SagaRegistry(sagas) if sagas else None,
        policies=policies,
        transport=transport,
        has_cache=has_cache,
        clock=clock,
        events=events if events is not None else _logged(name, settings, sinks),
        log_headers=[name.lower() for name in log_headers],
        demo=demo,
    )
    check_services(services, settings)
    # Errors in policies are raised before anything is opened.
    planned = planned_services(policies.read(), settings, transport, has_cache=has_cache)
    app = Gateway(config, planned, lifespan=lifespan_of(checks, lifespan), **_fastapi(fastapi))
    app.router.routes.extend(own_routes)
    for face in faces:
        face.install(app, app.fast_path, is_development=settings.env == "development")
    for screen in chain(sagas, *(face.compositions for face in faces)):
        check_screen(screen, services, app.routes, has_cache=has_cache, sagas=sagas)
    return app


def with_proxy_file(faces: Sequence[Face], path: str) -> Sequence[Face]:
    """Return faces and that of the routes in a file; without a path only the faces."""
    if not path:
        return faces
    from bff_core.proxy.face import Proxy  # noqa: PLC0415 # only with a file

    return [*faces, Proxy(file=path)]


def _fastapi(given: FastAPIOptions) -> dict[str, Any]:
    """Return the keywords of the FastAPI app.

    It has no pages of documentation unless they are given, since these load scripts from other
    hosts: in development `/docs` leads to the console.
    """
    pages = {"docs_url": None, "redoc_url": None}
    responses = {"default": PROBLEM, **(given.get("responses") or {})}
    return {**pages, **given, "responses": responses}


def _logged(name: str, settings: Settings, sinks: Sequence[Sink]) -> Events:
    """Return events with the log that the settings configure, records of requests, and `sinks`."""
    access = AccessLog(settings.access_log, settings.access_log_exclude)
    log = log_sink(settings.log_format, settings.own_log_level, access=access)
    telemetry = telemetry_sink(os.environ, name, framework_version())
    records = recorder(name, is_development=settings.env == "development", telemetry=telemetry)
    exported = telemetry if telemetry is not None and telemetry.needs_events else None
    read_lost = dict if telemetry is None else telemetry.lost
    metrics = MetricsSink(read_lost=read_lost) if counts(settings) else None
    known = (log, exported, records, metrics)
    return Events(*(one for one in known if one is not None), *sinks)
