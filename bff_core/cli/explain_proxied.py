"""`bff explain` for a proxied route: which route wins, and what happens to the request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text
from starlette.types import Scope as ASGIScope

from bff_core.cli.errors import CannotRun
from bff_core.cli.gateways import LoadedGateway
from bff_core.cli.output import columns, console, print_json, print_lines
from bff_core.cli.source_places import place_of
from bff_core.errors import ClientError
from bff_core.inspection.function_source import shown_place
from bff_core.inspection.proxied import (
    MatchedRoute,
    conditions_of,
    forwarded_path,
    matched_routes,
    path_values,
    scope_of,
    shown_condition,
    shown_endpoints,
    shown_size,
    shown_stack,
    shown_targets,
    unmet_routes,
    upstream_of,
)
from bff_core.inspection.routes import RouteDescription, describe_limit, routes_of
from bff_core.inspection.worst_case import call_limit
from bff_core.proxy.face import Proxy
from bff_core.proxy.route import Route
from bff_core.proxy.transform import Headers, Query
from bff_core.settings.model import variable_name


@dataclass(frozen=True, slots=True)
class ExplainedRequest:
    """A request that a proxied route takes; `matched` are the routes that match, the best first."""

    loaded: LoadedGateway
    method: str
    target: str
    scope: ASGIScope
    matched: Sequence[MatchedRoute]

    @property
    def route(self) -> Route:
        """The route that wins."""
        route = self.matched[0].route
        assert route is not None, self.target  # noqa: S101 # checked where it is made
        return route


def proxied_matches(
    loaded: Sequence[LoadedGateway], named: str, headers: Sequence[str]
) -> ExplainedRequest | None:
    """Return a request with the gateway whose proxied route takes it; None if none does.

    `named` is a method and a path, or the id of a route. Raises `CannotRun` if several gateways
    have one.
    """
    found: list[ExplainedRequest] = []
    for one in loaded:
        method, target = _request(one, named)
        if target.startswith("/"):
            scope = scope_of(method, target, [_header(each) for each in headers])
            matched = matched_routes(one.app.route_table(), scope)
            if matched and matched[0].route is not None:
                found.append(ExplainedRequest(one, method, target, scope, matched))
    if len(found) > 1:
        names = ", ".join(one.loaded.name for one in found)
        raise CannotRun(f"{named} is in several gateways: add --gateway NAME, one of {names}")
    return found[0] if found else None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CannotRun(f"--header {text!r}: write NAME: VALUE")
    return name.strip(), value.strip()


def _request(loaded: LoadedGateway, named: str) -> tuple[str, str]:
    """Return the method and the path that a text names."""
    method, _, target = named.strip().rpartition(" ")
    for route in (route for face in _proxies(loaded) for route in face.routes):
        if not method and target == route.id:
            return next(iter(route.match.methods), "GET"), route.match.path
    return method.strip().upper() or "GET", target


def _proxies(loaded: LoadedGateway) -> list[Proxy]:
    return [face for face in loaded.app.config.faces if isinstance(face, Proxy)]


def show_proxied(request: ExplainedRequest, *, as_json: bool) -> None:
    """Print how a request to a proxied route is answered."""
    rows = list(_rows(request))
    following, place = _following(request), _place(request.loaded, request.matched[0])
    line = f"{request.method} {request.target}"
    if as_json:
        print_json(
            {
                "gateway": request.loaded.name,
                "request": line,
                "route": request.route.id,
                "place": place,
                "next_best": following,
                "details": dict(rows),
            }
        )
        return
    heading = Text.assemble((line, "bold"), f" → {request.route.id}")
    heading.append(f" ({place})" if place else "", "dim")
    heading.append(f" · next best: {following}" if following else " · no other matches", "dim")
    print_lines(console(), heading, _table(rows))


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = columns("", "", fixed={""})
    table.show_header = False
    for name, value in rows:
        table.add_row(Text(f"  {name}", "dim"), Text(value))
    return table


def _place(loaded: LoadedGateway, matched: MatchedRoute) -> str:
    if matched.route is None:
        return place_of(matched.entry.endpoint)
    places = (face.place_of(matched.route.id) for face in _proxies(loaded))
    return shown_place(next(filter(None, places), ""))


def _following(request: ExplainedRequest) -> str:
    """Return the route that would take the request if the winner was gone."""
    if len(request.matched) < 2:
        return ""
    one = request.matched[1]
    if one.route is not None:
        return f"{one.route.id} ({shown_condition(one.match)})"
    return f"{one.entry.path} ({_place(request.loaded, one) or 'Python'})"


def _rows(request: ExplainedRequest) -> Iterator[tuple[str, str]]:
    route, app = request.route, request.loaded.app
    try:
        values, path = path_values(route, request.target), forwarded_path(route, request.target)
    except ClientError as error:
        yield "refused", f"{error.status} {error.code}: {error}"
        return
    shown = " · ".join(f'{name} = "{value}"' for name, value in values.items())
    yield "route", " · ".join([shown or route.match.path, *conditions_of(route.match)])
    for one in unmet_routes(app.route_table(), request.scope):
        yield "not", f"{one.id}: it needs {' and '.join(conditions_of(one.match))}"
    described = next(one for one in routes_of(app) if one.proxied is route)
    yield "access", described.access
    yield "edge", _edge(request.loaded, route, described)
    yield "to", shown_targets(route)
    if route.files is not None:
        return
    method = (route.transform.method if route.transform else "") or request.method
    sent = f"{method} {path}{''.join(request.target.partition('?')[1:])}"
    yield "request", " · ".join([sent, *_request_rules(route)])
    yield from _upstream_rows(request.loaded, route)
    if response := _response_rules(route):
        yield "response", " · ".join(response)
    yield "body", _bodies(route)


def _edge(loaded: LoadedGateway, route: Route, described: RouteDescription) -> str:
    timeout = route.timeout or loaded.app.edge_options.timeout
    limits = [describe_limit(one) for one in described.limits]
    return " · ".join([f"deadline {timeout:g} s", f"body ≤ {shown_size(route.max_body)}", *limits])


def _upstream_rows(loaded: LoadedGateway, route: Route) -> Iterator[tuple[str, str]]:
    kind = None if route.to is None else upstream_of(loaded.app, route.to)
    if kind is None:
        return
    policy = loaded.app.config.policies.read().get(kind, kind.policy)
    yield "upstream", shown_stack(policy)
    variable = f"BFF_UPSTREAM_{variable_name(kind.name).upper()}"
    endpoints = shown_endpoints(loaded.app, kind, is_configured=variable in loaded.variables)
    health = policy.health
    probe = "" if health is None else f" · probe GET {health.path} every {health.interval:g} s"
    count = f"{len(endpoints)}: {', '.join(endpoints)}{probe}"
    yield "endpoints", count if endpoints else f"none: set endpoints, or {variable}"
    timeout = route.timeout or loaded.app.edge_options.timeout
    yield "worst case", f"{min(call_limit(policy), timeout):g} s until the head of the reply"


def _request_rules(route: Route) -> Iterator[str]:
    transform = route.transform
    if transform is None:
        return
    yield from _changes("headers", transform.request_headers)
    if transform.query is not None:
        yield from _changes("query", transform.query)
    if transform.cookies:
        yield f"cookies {', '.join(transform.cookies)}"
    if transform.host == "client":
        yield "the client's Host"
    if transform.forwarded != "x-forwarded":
        yield f"forwarded: {transform.forwarded}"


def _response_rules(route: Route) -> list[str]:
    transform = route.transform
    if transform is None:
        return []
    rules = [*_changes("headers", transform.response_headers)]
    rules += _changes("trailers", transform.trailers)
    return rules + ([] if transform.redirects else ["Location as it came"])


def _changes(what: str, changes: Headers | Query | None) -> Iterator[str]:
    if changes is None:
        return
    set_here = [f"{name} = {_bare(value)}" for name, value in changes.set.items()]
    set_here += [f"{name} + {_bare(value)}" for name, value in changes.append.items()]
    if changes.allow is not None:
        yield f"{what} {', '.join([*changes.allow, *set_here]) or 'none'}"
    elif set_here:
        yield f"{what} all, {', '.join(set_here)}"
    if changes.remove:
        yield f"without {what} {', '.join(changes.remove)}"


def _bare(value: str) -> str:
    """Return a value; one that is a single placeholder without its braces."""
    is_one = value.startswith("{") and value.find("}") == len(value) - 1
    return value[1:-1] if is_one else value


def _bodies(route: Route) -> str:
    if route.websocket:
        return "a web socket, passed on in both directions"
    if route.mirror is not None and "json" in route.mirror.compare:
        compared = shown_size(route.mirror.max_body)
        return f"request and reply stream; the mirror compares up to {compared}"
    return "request and reply stream"
