"""One request on its way through a proxied route, or through the forwarder of user code."""

from typing import Final, NamedTuple

from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.viewer import Viewer
from bff_core.call import Headers as Fields
from bff_core.forwarding.paths import is_unsafe, sendable
from bff_core.forwarding.request import READS
from bff_core.http_exchange.request_context import SCOPE
from bff_core.policy.edge.idempotency import derived_key
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.plan import ForwardPlan
from bff_core.proxy.transforms.path import Rewritten, UnsafePath
from bff_core.proxy.transforms.values import RequestValues
from bff_core.routing.path import raw_path_of
from bff_core.routing.route_table import ROUTE, RouteMatch
from bff_core.scope import Scope
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.forwarding import ForwardedRequest

KEY: Final = b"idempotency-key"


class ProxiedRequest(ForwardedRequest, frozen=True, kw_only=True):
    """A request whose header fields are those that are sent already."""

    @property
    def end_to_end_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The header fields that are sent."""
        return self.headers


class ProxiedExchange(NamedTuple):
    """One request on a proxied route: where it comes from, and where it goes."""

    scope: ASGIScope
    receive: Receive
    send: Send
    request: Scope
    values: RequestValues
    path: Rewritten


def open_exchange(
    plan: ForwardPlan, scope: ASGIScope, receive: Receive, send: Send
) -> ProxiedExchange:
    """Return the exchange of a request; raise `UnsafePath` for a path that is not forwarded."""
    request: Scope = scope[SCOPE]
    path = raw_path_of(scope)
    if is_unsafe(path):
        raise UnsafePath("The path has a segment . or .., a backslash or a NUL.")
    match: RouteMatch = scope[ROUTE]
    if "%" in path or match.found is None:
        values = RequestValues(request, plan.parameters.of(path))
    else:
        values = RequestValues(request, match.found.groupdict())
    return ProxiedExchange(scope, receive, send, request, values, plan.rewrite(path, values))


def request_of(
    exchange: ProxiedExchange,
    plan: ForwardPlan,
    policy: Policy,
    body: bytes | StreamedBody,
    method: str,
    *,
    head_timeout: float = 0.0,
) -> ProxiedRequest:
    """Return the request that goes to the service."""
    scope, request, values, path = (
        exchange.scope,
        exchange.request,
        exchange.values,
        exchange.path,
    )
    query = request.query.decode("latin-1")
    if plan.query is not None:
        query = plan.query(query, values)
    idle = policy.connection.stream_idle_timeout
    is_cached = policy.cache is not None and plan.cache is not False and method in READS
    host = request.field(b"host") if plan.sends_own_host else None
    headers = plan.headers.make(scope, values, is_streamed=not is_cached)
    if not request.idempotency_key and request.field(KEY) is not None:
        headers = _bound_key(headers, request, plan.gateway)
    return ProxiedRequest(
        method=method,
        target=sendable(f"{path.path}?{query}" if query else path.path),
        audience=_audience(policy, request),
        headers=headers,
        body=body,
        operation=f"{method} {plan.name}",
        is_streamed=not is_cached,
        with_credentials=plan.passes_cookies,
        own_prefix=scope.get("root_path", "") + path.own,
        service_prefix=path.service,
        cache=plan.cache,
        host="" if host is None else host.decode("latin-1"),
        idle_timeout=None if plan.idle_timeout == idle else plan.idle_timeout,
        head_timeout=head_timeout,
        has_own_references=plan.has_redirects,
    )


def _bound_key(headers: Fields, request: Scope, gateway: str) -> Fields:
    """Return the fields with a key that belongs to the viewer, in place of the client's."""
    viewer = Viewer.from_scope(request)
    names = gateway, viewer.identity, request.method, request.path
    return tuple(
        (name, derived_key(value.decode("latin-1"), *names).encode() if name == KEY else value)
        for name, value in headers
    )


def _audience(policy: Policy, request: Scope) -> str | None:
    """Return who may share the reply of a cached route."""
    if policy.public:
        return None
    is_shared = policy.per_tenant and request.tenant
    return f"tenant:{request.tenant}" if is_shared else request.audience
