"""The forwarder in user code: `await upstream.forward(request, transforms=Transform(...))`."""

from typing import Final

from fastapi import Request, Response
from starlette.types import Message

from bff_core.errors import UpstreamError
from bff_core.forwarding.request import body_of
from bff_core.forwarding.response import ForwardedResponse
from bff_core.http_exchange.request_context import EXCHANGE
from bff_core.proxy.exchange import open_exchange, request_of
from bff_core.proxy.plan import ForwardPlan
from bff_core.proxy.proxy_status import proxy_status
from bff_core.proxy.transform import Transform
from bff_core.proxy.transforms.response_headers import without_ours
from bff_core.routing.route_table import ROUTE, RouteMatch
from bff_core.upstream.caller import policy_of
from bff_core.upstream.client import Upstream

MAX_PLANS: Final = 256
"""How many compiled transforms are remembered: one that is made for each request is compiled."""

_plans: dict[tuple[int, str], tuple[Transform, ForwardPlan]] = {}


async def forward_directly(transform: Transform, upstream: Upstream, request: Request) -> Response:
    """Send a request of a route in Python to a service, and return its reply as the answer.

    The rules for paths, headers and cookies are those of proxied routes; the access rule, the
    limits and the deadline are those of the route.
    """
    scope = request.scope
    plan = _plan_of(transform, request)
    exchange = open_exchange(plan, scope, request.receive, _no_send)
    bound = upstream.bind(exchange.request)
    method = plan.method or request.method
    forwarded = request_of(exchange, plan, policy_of(bound), body_of(request), method)
    try:
        reply = await bound.forward(forwarded)
    except UpstreamError as error:
        exchange.request.added.append(proxy_status(error, plan.gateway))
        raise
    response = ForwardedResponse(reply, request)
    root = scope.get("root_path", "")
    fields = plan.reply(response.raw_headers, exchange.values, exchange.path, root)
    response.raw_headers = without_ours(fields, scope.get(EXCHANGE))
    return response


async def _no_send(_: Message) -> None:
    """Send nothing: the route returns a response."""


def _plan_of(transform: Transform, request: Request) -> ForwardPlan:
    """Return a compiled transform for the template of the route that serves a request."""
    match: RouteMatch = request.scope[ROUTE]
    template = "/{path:path}" if match.entry is None else match.entry.typed_path
    key = id(transform), template
    known = _plans.get(key)
    if known is not None and known[0] is transform:
        return known[1]
    name, gateway = template, request.app.title
    plan = ForwardPlan.of_transform(
        transform, template, name, gateway, where="Transform", names_methods=True
    )
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    _plans[key] = transform, plan
    return plan
