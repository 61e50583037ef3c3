"""The order of what every request passes."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.cache import Errands, GetCache, no_cache
from bff_core.admin.endpoints import Operator
from bff_core.admin.webhook import Webhook
from bff_core.auth.authenticator import Authenticator
from bff_core.clock import Clock, monotonic
from bff_core.edge.allowed_hosts import Hosts
from bff_core.edge.authentication import Authenticate
from bff_core.edge.body_limit import Body
from bff_core.edge.compression import Compression
from bff_core.edge.cors import Cors
from bff_core.edge.deadline import Deadline
from bff_core.edge.error_responses import Problems
from bff_core.edge.header_limits import Fields
from bff_core.edge.health import About, Health, Readiness
from bff_core.edge.idempotency import Admit, GetStore, Idempotency, open_route
from bff_core.edge.options import EdgeOptions
from bff_core.edge.rate_limits import GetStore as GetLimitStore
from bff_core.edge.rate_limits import Limits, checked
from bff_core.edge.request_id import Bits
from bff_core.edge.request_lifecycle import Accept, Template
from bff_core.edge.security_headers import security_headers
from bff_core.edge.shedding.controller import Doorkeeper
from bff_core.edge.shedding.middleware import Admission, Rank
from bff_core.edge.trusted_proxies import Hops
from bff_core.events import Events
from bff_core.exchange.response_headers import Head
from bff_core.idempotency.memory import MemoryStore
from bff_core.limits.memory import MemoryStore as MemoryCounts
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.path import Below

Wrap = Callable[[ASGIApp], ASGIApp]

NO_ERRANDS: Errands = {}


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
    door: Doorkeeper | None = None,
    store: GetStore | None = None,
    limits: Sequence[Limit] = (),
    limit_store: GetLimitStore | None = None,
    token: str = "",
    errands: Errands = NO_ERRANDS,
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
    door = door or Doorkeeper(options, events=events, clock=clock, bits=bits)
    head = Head(security_headers(policy=options.policy, hsts=options.hsts))
    kept = options.idempotency or IdempotencyOptions()
    memory = MemoryStore(kept, clock, events)
    counted = limit_store or _always(MemoryCounts(clock))
    early = tuple(limit for limit in checked(limits) if limit.by == "address")
    late = tuple(limit for limit in limits if limit.by != "address")
    stack: list[Wrap] = [
        partial(Below, base=base),
        partial(Health, readiness=readiness, about=about),
        partial(
            Hops,
            trusted=options.trusted_hops,
            reads=options.forwarded,
            client_traces=options.client_traces,
        ),
        partial(Admission, door=door),
        partial(Accept, head=head, events=events, clock=clock, bits=bits, template=template),
        partial(Problems, events=events),
        partial(Cors, options=options.cors),
        partial(Deadline, timeout=options.timeout, grace=options.grace),
        partial(Fields, max_count=options.max_fields, max_bytes=options.max_field_bytes),
        partial(Hosts, allowed=options.allowed_hosts),
        partial(Body, limit=options.max_body),
        partial(Limits, limits=early, store=counted),
        partial(Operator, token=token, errands=errands if token else NO_ERRANDS),
        partial(Webhook, secrets=secrets, cache=cache, wall=wall),
        partial(Authenticate, authenticator=authenticator),
        partial(Limits, limits=late, store=counted),
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


def _always(store: MemoryCounts) -> GetLimitStore:
    return lambda: store


def _is_on(wrap: Wrap) -> bool:
    """Whether a concern has anything to do: limits without a limit, a door without a key."""
    told = wrap.keywords if isinstance(wrap, partial) else {}
    return all(
        told.get(name) is None or told[name] for name in ("limits", "errands", "secrets", "base")
    )
