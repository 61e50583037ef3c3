"""The order of what every request passes."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.actions import AdminActions
from bff_core.admin.cache import GetCache, no_cache
from bff_core.admin.endpoints import AdminEndpoints
from bff_core.admin.webhook import Webhook
from bff_core.auth.authenticator import Authenticator
from bff_core.clock import Clock, monotonic
from bff_core.edge.allowed_hosts import AllowedHosts
from bff_core.edge.authentication import Authentication
from bff_core.edge.body_limit import BodyLimit
from bff_core.edge.compression import Compression
from bff_core.edge.cors import Cors
from bff_core.edge.deadline import Deadline
from bff_core.edge.error_responses import ErrorResponses
from bff_core.edge.header_limits import HeaderLimits
from bff_core.edge.health import About, Health, Readiness
from bff_core.edge.idempotency import Admit, GetStore, Idempotency, open_route
from bff_core.edge.options import EdgeOptions
from bff_core.edge.rate_limits import GetStore as GetLimitStore
from bff_core.edge.rate_limits import RateLimits, checked
from bff_core.edge.request_id import Bits
from bff_core.edge.request_lifecycle import RequestLifecycle, Template
from bff_core.edge.security_headers import security_headers
from bff_core.edge.shedding.controller import SheddingController
from bff_core.edge.shedding.middleware import LoadShedding, Rank
from bff_core.edge.trusted_proxies import TrustedProxies
from bff_core.events import Events
from bff_core.exchange.response_headers import ResponseHeaders
from bff_core.idempotency.memory import MemoryIdempotencyStore
from bff_core.limits.memory import MemoryLimitStore
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.path import Below

Wrap = Callable[[ASGIApp], ASGIApp]

NO_ERRANDS: AdminActions = {}


def no_template(_: ASGIScope) -> str:
    """Find no template: an application whose routes are unknown."""
    return ""


def edge(
    app: ASGIApp,
    options: EdgeOptions,
    *,
    about: About,
    readiness: Readiness,
    events: Events,
    authenticator: Authenticator | None = None,
    admit: Admit = open_route,
    template: Template = no_template,
    door: SheddingController | None = None,
    store: GetStore | None = None,
    limits: Sequence[Limit] = (),
    limit_store: GetLimitStore | None = None,
    token: str = "",
    errands: AdminActions = NO_ERRANDS,
    secrets: Sequence[str] = (),
    cache: GetCache = no_cache,
    base: str = "",
    clock: Clock = monotonic,
    wall: Clock = time.time,
    bits: Bits = random.getrandbits,
) -> ASGIApp:
    """Wrap `app` in what every request passes, outermost first; its lifespan passes by.

    `admit` checks the access rule of a request's route, before its `Idempotency-Key` is read;
    `template` finds the route's template for the log line of a request that no router saw.
    `store` finds where answers of keyed requests are kept, `limit_store` where limits are counted;
    without them that is this process. An operator with the `token` may have the `errands` done. Who
    signs with one of the `secrets` may have purged what `cache` finds. `base` is the path of a
    gateway that does not have a whole origin.
    """
    door = door or SheddingController(options, events=events, clock=clock, bits=bits)
    head = ResponseHeaders(security_headers(policy=options.policy, hsts=options.hsts))
    kept = options.idempotency or IdempotencyOptions()
    memory = MemoryIdempotencyStore(kept, clock, events)
    counted = limit_store or _always(MemoryLimitStore(clock))
    early = tuple(limit for limit in checked(limits) if limit.by == "address")
    late = tuple(limit for limit in limits if limit.by != "address")
    stack: list[Wrap] = [
        partial(Below, base=base),
        partial(Health, readiness=readiness, about=about),
        partial(
            TrustedProxies,
            trusted=options.trusted_proxies,
            reads=options.forwarded,
            client_traces=options.client_traces,
        ),
        partial(LoadShedding, door=door),
        partial(
            RequestLifecycle, head=head, events=events, clock=clock, bits=bits, template=template
        ),
        partial(ErrorResponses, events=events),
        partial(Cors, options=options.cors),
        partial(Deadline, timeout=options.timeout, grace=options.grace),
        partial(HeaderLimits, max_count=options.max_fields, max_bytes=options.max_field_bytes),
        partial(AllowedHosts, allowed=options.allowed_hosts),
        partial(BodyLimit, limit=options.max_body),
        partial(RateLimits, limits=early, store=counted),
        partial(AdminEndpoints, token=token, actions=errands if token else NO_ERRANDS),
        partial(Webhook, secrets=secrets, cache=cache, wall=wall),
        partial(Authentication, authenticator=authenticator),
        partial(RateLimits, limits=late, store=counted),
        partial(Rank, door=door),
        Compression,
        partial(
            Idempotency,
            options=kept,
            admit=admit,
            store=store or (lambda: memory),
            gateway=about.name,
            clock=clock,
            events=events,
        ),
    ]
    if options.idempotency is None:
        stack.pop()
    guarded = app
    for wrap in filter(_is_on, reversed(stack)):
        guarded = wrap(guarded)

    async def edged(scope: ASGIScope, receive: Receive, send: Send) -> None:
        await (app if scope["type"] == "lifespan" else guarded)(scope, receive, send)

    return edged


def _always(store: MemoryLimitStore) -> GetLimitStore:
    return lambda: store


def _is_on(wrap: Wrap) -> bool:
    """Whether a concern has anything to do: limits without a limit, a door without a key."""
    told = wrap.keywords if isinstance(wrap, partial) else {}
    return all(
        told.get(name) is None or told[name] for name in ("limits", "actions", "secrets", "base")
    )
