"""The pipeline of the edge: which concerns every request passes, and in which order."""

import random
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.endpoints import AdminEndpoints
from bff_core.admin.webhook import Webhook
from bff_core.auth.authenticator import Authenticator
from bff_core.clock import Clock, monotonic
from bff_core.edge.allowed_hosts import AllowedHosts
from bff_core.edge.authentication import Authentication
from bff_core.edge.body_limit import BodyLimit
from bff_core.edge.compression import Compression
from bff_core.edge.concern import Concern
from bff_core.edge.cors import Cors
from bff_core.edge.deadline import Deadline
from bff_core.edge.fresh_reads import FreshReads
from bff_core.edge.header_limits import HeaderLimits
from bff_core.edge.health import About, Health, Readiness
from bff_core.edge.idempotency import GetStore, Idempotency
from bff_core.edge.options import EdgeOptions
from bff_core.edge.rate_limits import Counts, RateLimits, checked
from bff_core.edge.rate_limits import GetStore as GetLimitStore
from bff_core.edge.request_lifecycle import RequestLifecycle
from bff_core.edge.security_headers import security_headers
from bff_core.edge.server_timing import ServerTiming
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.shedding.middleware import LoadShedding, ViewerShedding
from bff_core.edge.trusted_proxies import TrustedProxies
from bff_core.edge.viewer_hash import ViewerHash
from bff_core.events import Events
from bff_core.gateway.console import is_console_path
from bff_core.http_exchange.response_headers import ResponseHeaders
from bff_core.idempotency.memory import MemoryIdempotencyStore
from bff_core.limits.memory import MemoryLimitStore
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeParts:
    """The parts from which the edge of one gateway is built, besides its `EdgeOptions`.

    Without a store, idempotency and rate limits use the memory of this process. `admin` needs an
    operator token, `webhook` a purge secret. `console` answers the paths from `/console` on, and
    `pages` other pages in development. `own` are the user's concerns. `base` is the path below
    which clients find the gateway, if it shares its origin. `log_headers` are the names of the
    request headers that are logged, in lower case. `rate_limited` counts refusals by limit. With
    `is_development` answers have a `Server-Timing`, and a request may bypass caches.
    """

    about: About
    readiness: Readiness
    events: Events
    routes: RouteTable = field(default_factory=RouteTable)
    authenticator: Authenticator | None = None
    limits: Sequence[Limit] = ()
    rate_limited: dict[str, int] = field(default_factory=dict)
    limit_store: GetLimitStore | None = None
    idempotency_store: GetStore | None = None
    pages: Concern | None = None
    admin: AdminEndpoints | None = None
    webhook: Webhook | None = None
    metrics: Concern | None = None
    console: ASGIApp | None = None
    own: Sequence[Concern] = ()
    shedding: SheddingController | None = None
    base: str = ""
    clock: Clock = monotonic
    log_headers: Sequence[str] = ()
    viewer_hash: ViewerHash | None = None
    is_development: bool = False


def edge(app: ASGIApp, options: EdgeOptions, parts: EdgeParts) -> ASGIApp:
    """Return `app` behind the edge; the lifespan skips the edge.

    The base path, probes, trusted proxies and load shedding come first, before a request has a
    context. Then the request lifecycle runs the `concerns`.
    """
    shedding = parts.shedding or SheddingController(options, events=parts.events, clock=parts.clock)
    lifecycle = RequestLifecycle(
        app,
        concerns(options, parts, shedding),
        head=ResponseHeaders(security_headers(policy=options.policy, hsts=options.hsts)),
        events=parts.events,
        clock=parts.clock,
        bits=random.getrandbits,
        template=parts.routes.template,
        log_headers=parts.log_headers,
        viewer_hash=parts.viewer_hash,
    )
    admitted = LoadShedding(lifecycle, shedding=shedding)
    health = Health(readiness=parts.readiness, about=parts.about)
    proxies = TrustedProxies(
        trusted=options.trusted_proxies,
        reads=options.forwarded,
        client_traces=options.client_traces,
    )

    console = parts.console  # has access rules and limits of its own, and works under load

    def edged(scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return app(scope, receive, send)
        if parts.base:
            # Proxies strip the path that they forward, or do not: the path itself shows which.
            scope["root_path"] = scope.get("root_path") or parts.base
        probe = health.answer(scope, send)
        if probe is not None:
            return probe
        proxies.apply(scope)
        if console is not None and is_console_path(path_of(scope)):
            return console(scope, receive, send)
        return admitted(scope, receive, send)

    return edged


def concerns(options: EdgeOptions, parts: EdgeParts, shedding: SheddingController) -> list[Concern]:
    """Return the concerns of each request in their order, without those that have nothing to do."""
    limits_by_address, limits_by_caller = _rate_limits(parts)
    order = [
        ServerTiming(parts.clock) if parts.is_development else None,
        _cors(options, parts),
        Deadline(timeout=options.timeout, grace=options.grace, routes=parts.routes),
        HeaderLimits(max_count=options.max_fields, max_bytes=options.max_field_bytes),
        FreshReads() if parts.is_development else None,
        AllowedHosts(allowed=options.allowed_hosts),
        BodyLimit(limit=options.max_body, routes=parts.routes),
        limits_by_address,
        parts.pages,
        parts.admin,
        parts.metrics,
        parts.webhook,
        Authentication(parts.authenticator),
        limits_by_caller,
        ViewerShedding(shedding),
        *parts.own,
        Compression(),
        _idempotency(options, parts),
    ]
    return [one for one in order if one is not None]


def _rate_limits(parts: EdgeParts) -> tuple[RateLimits | None, RateLimits | None]:
    """Return the limits that are checked before authentication, and those after it."""
    memory = MemoryLimitStore(parts.clock)
    store = parts.limit_store or (lambda: memory)
    of_routes = [
        limit
        for entry in parts.routes.entries
        if entry.matching is not None
        for limit in entry.matching.limits
    ]
    checked([*parts.limits, *of_routes])

    def concern(counts: Counts) -> RateLimits | None:
        if not any(map(counts, (*parts.limits, *of_routes))):
            return None
        return RateLimits(
            [limit for limit in parts.limits if counts(limit)],
            routes=parts.routes,
            store=store,
            refused=parts.rate_limited,
            counts=counts,
        )

    return concern(_is_by_address), concern(lambda limit: not _is_by_address(limit))


def _is_by_address(limit: Limit) -> bool:
    return limit.by == "address"


def _cors(options: EdgeOptions, parts: EdgeParts) -> Cors | None:
    """Return the concern if the gateway or a route has rules."""
    cors = Cors(options.cors, parts.routes)
    return cors if cors.has_rules else None


def _idempotency(options: EdgeOptions, parts: EdgeParts) -> Idempotency | None:
    if options.idempotency is None:
        return None
    memory = MemoryIdempotencyStore(options.idempotency, parts.clock, parts.events)
    return Idempotency(
        options.idempotency,
        routes=parts.routes,
        store=parts.idempotency_store or (lambda: memory),
        gateway=parts.about.name,
        clock=parts.clock,
        events=parts.events,
    )
