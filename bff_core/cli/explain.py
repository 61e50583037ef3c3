"""`bff explain`: how a gateway answers a request to one route."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from math import isinf

from rich.table import Table
from rich.text import Text

from bff_core.cli.errors import CannotRun
from bff_core.cli.explain_proxied import proxied_matches, show_proxied
from bff_core.cli.gateways import LoadedGateway, load_gateways
from bff_core.cli.output import columns, console, print_json, print_lines
from bff_core.cli.part_rows import PartRows
from bff_core.cli.source_places import place_of
from bff_core.inspection.explanation import Explanation, explain, unknowns_of
from bff_core.inspection.function_source import shown_place
from bff_core.inspection.routes import RouteDescription, describe_limit, routes_of
from bff_core.inspection.worst_case import attempts_limit, call_limit
from bff_core.policy.upstream.policy import Policy


def show_explanation(
    named: str,
    gateway: str,
    *,
    as_json: bool,
    with_defaults: bool,
    headers: Sequence[str] = (),
) -> None:
    """Print how a route is answered; `named` is `GET /v1/home`, a GraphQL field, or an id.

    `headers` of the request, such as "X-Beta: 1", decide between proxied routes.
    """
    proxied = proxied_matches(load_gateways(gateway), named, headers)
    if proxied is not None:
        show_proxied(proxied, as_json=as_json)
        return
    loaded, route = find_route(named, gateway)
    found = explain(loaded.app, route)
    if as_json:
        print_json(_fields(loaded, found))
        return
    out = console()
    print_lines(
        out,
        _heading(loaded, route),
        "",
        _facts(loaded, found),
        "",
        *_order(found),
        *_policies(found, loaded.app.settings.policies, with_defaults=with_defaults),
        _worst(found),
    )


def find_route(named: str, gateway: str) -> tuple[LoadedGateway, RouteDescription]:
    """Return a gateway and its route by method and path, or by the name of a field.

    Raises `CannotRun` if there is none, or if several gateways have one.
    """
    method, _, path = named.strip().rpartition(" ")
    named = f"{method.strip().upper()} {path}".strip()
    loaded = load_gateways(gateway)
    routes = [(one, route) for one in loaded for route in routes_of(one.app)]
    exact = [(one, route) for one, route in routes if named in _titles(route)]
    found = exact or [(one, route) for one, route in routes if _serves(one, route, named)]
    if len({one.name for one, _ in found}) > 1:
        names = ", ".join(one.name for one, _ in found)
        raise CannotRun(f"{named} is in several gateways: add --gateway NAME, one of {names}")
    if found:
        return found[0]
    own = [route for _, route in routes if route.kind not in {"fastapi", "sign-in"}]
    titles = list(dict.fromkeys(title for route in own for title in _titles(route)))
    near = get_close_matches(named, titles, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(one) for one in near)}?" if near else ""
    raise CannotRun(f"there is no route {named!r}: {hint or 'list them with bff routes'}")


def _serves(loaded: LoadedGateway, route: RouteDescription, named: str) -> bool:
    """Whether a route serves the method and the path in a text, such as `GET /v1/products/8`."""
    method, _, path = named.rpartition(" ")
    if route.kind == "field" or not path.startswith("/"):
        return False
    entry = loaded.app.route_table().find((method or "GET").upper(), path).entry
    is_same = entry is not None and entry.path == route.path
    return is_same and entry is not None and set(entry.methods) == set(route.methods)


def _titles(route: RouteDescription) -> list[str]:
    if route.kind == "field":
        return [route.path]
    return [f"{method} {route.path}" for method in route.methods if method != "HEAD"]


def _heading(loaded: LoadedGateway, route: RouteDescription) -> Text:
    text = Text.assemble((route.title.replace("GET HEAD", "GET"), "bold"), f"  {loaded.name}")
    if route.function is not None:
        text.append(f"  {place_of(route.function)}", "dim")
    return text


def _facts(loaded: LoadedGateway, found: Explanation) -> Table:
    route, app = found.route, loaded.app
    table = columns("", "")
    table.show_header = False
    by = f", by {' or '.join(route.by)}" if route.by and route.access != "anyone" else ""
    by += " (BFF_AUTH=demo, in development only)" if route.by == ("Demo",) and by else ""
    rows = [
        ("access", f"{route.access}{by}"),
        ("timeout", f"{found.limit:g} s ({_timeout_source(loaded)})"),
        ("criticality", route.criticality),
        *(("limit", describe_limit(limit)) for limit in route.limits),
        ("view cache", _view_cache(found, has_cache=app.has_cache)),
        ("HTTP cache", _http_cache(found)),
    ]
    if route.kind in {"view", "stream"}:
        rows.append(("served by", "the fast path" if route.is_fast else "FastAPI"))
    for name, value in rows:
        if value:
            table.add_row(Text(name, "dim"), Text(value))
    return table


def _timeout_source(loaded: LoadedGateway) -> str:
    settings, options = loaded.app.settings, loaded.app.edge_options
    if options.timeout != settings.timeout:
        return "EdgeOptions in code"
    return "BFF_TIMEOUT" if "timeout" in settings.model_fields_set else "default; BFF_TIMEOUT"


def _view_cache(found: Explanation, *, has_cache: bool) -> str:
    route = found.route
    if not route.cache:
        return ""
    if not has_cache:
        return "off: no service of the gateway has a cache"
    if route.cache == "off":
        return "off (cache=False)"
    if found.uncached:
        names = ", ".join(found.uncached)
        return f"stores no answer that has a reply of {names}, whose policy has no cache"
    return f"{route.cache}, as long as the replies are fresh"


def _http_cache(found: Explanation) -> str:
    """Return which services' replies are cached, if the route reads any."""
    reads = {
        one.service.name: None for one in found.requests if one.verb in {"GET", "HEAD", "query"}
    }
    cached = [name for name in reads if name not in found.uncached]
    if not reads:
        return ""
    return (
        f"replies of {', '.join(cached)}" if cached else "off: no policy of these services has it"
    )


def _order(found: Explanation) -> Iterator[Text | Table]:
    """Yield the table of parts and calls, and what the source does not show."""
    table = columns("", "part", "if it fails", "calls", "at most", fixed={"", "part", "at most"})
    rows, stage = PartRows(found), 0
    for one in found.uses:
        if one.stage != stage and stage:
            table.add_row()
        for row in rows.of(one):
            table.add_row(str(one.stage) if one.stage != stage else "", *row)
            stage = one.stage
    if found.uses:
        yield table
        text = "Parts of one number run at the same time; the next number waits for them."
        if found.route.kind == "field":
            text += " A query starts only the parts that it selects: these are all."
        yield Text(f"{text}\n", "dim")
    for unknown in unknowns_of(found.step):
        where = f" ({shown_place(unknown.where)})" if unknown.where else ""
        yield Text(f"unknown: {unknown.reason}{where}\n", "yellow")


def _policies(found: Explanation, file: str, *, with_defaults: bool) -> Iterator[Text | Table]:
    """Yield the policies in effect: a row for each service and each source of options."""
    table = columns("service", "policy in effect", "set in", fixed={"service"})
    for kind, options in found.options.items():
        name = kind.name
        sources = {"code": place_of(kind), "file": file}
        for source, place in sources.items():
            shown = [f"{one.path}={one.text}" for one in options if one.source == source]
            if shown:
                table.add_row(name, ", ".join(shown), place)
                name = ""
        policy = found.policies.get(kind, kind.policy)
        table.add_row(name, Text(_attempts(policy), "dim"), "")
        if with_defaults:
            others = [f"{one.path}={one.text}" for one in options if one.source == "default"]
            table.add_row("", Text(", ".join(others), "dim"), Text("default", "dim"))
    if found.options:
        yield table
        if not with_defaults:
            yield Text("All other options have their defaults; --defaults lists them.\n", "dim")


def _attempts(policy: Policy) -> str:
    """Return how often a call is sent, and how long it takes: if all time out, and at most."""
    count = 1 if policy.retry is None else policy.retry.attempts
    attempts = "1 attempt" if count == 1 else f"up to {count} attempts"
    each, timed_out, most = policy.attempt_timeout, attempts_limit(policy), call_limit(policy)
    if timed_out < most:
        return f"{attempts} of {each:g} s: {timed_out:.4g} s if all time out, {most:g} s at most"
    return f"{attempts}, {most:g} s at most"


def _worst(found: Explanation) -> Text:
    """Return the worst case, and which parts it adds up, or what makes it the request's timeout."""
    worst, limit = found.worst, found.limit
    text = Text("worst case  ", "bold")
    if not found.uses:
        return text.append("no part and no call is known", "")
    parts = " + ".join(f"{name} {each:g} s" for name, each in worst.path if not isinf(each))
    endless = next((name for name, each in worst.path if isinf(each)), "")
    total = f"{parts} = {worst.seconds:g} s" if " + " in parts else parts
    if found.route.kind == "stream":
        text.append(f"{min(worst.seconds, limit):g} s", "bold")
        return text.append(" until the first line; after that the stream has no limit of time", "")
    if worst.seconds >= limit and unknowns_of(found.step):
        text.append("unknown", "bold yellow")
        return text.append(f": at most {limit:g} s, the request's timeout", "")
    if endless:
        reason = f"the request's timeout, since {endless} has none of its own"
    elif worst.seconds >= limit:
        reason = f"the request's timeout; its parts may take as long ({total})"
    else:
        text.append(f"{worst.seconds:g} s", "bold")
        return text.append(f" = {parts}, of {limit:g} s for the request", "")
    return text.append(f"{limit:g} s", "bold").append(f": {reason}", "")


def _fields(loaded: LoadedGateway, found: Explanation) -> dict[str, object]:
    worst, route = found.worst, found.route
    rows = PartRows(found)
    return {
        "gateway": loaded.name,
        "route": route.title,
        "function": route.name,
        "access": route.access,
        "authenticators": route.by,
        "timeout": found.limit,
        "criticality": route.criticality,
        "limits": [describe_limit(one) for one in route.limits],
        "view_cache": _view_cache(found, has_cache=loaded.app.has_cache),
        "http_cache": _http_cache(found),
        "parts": [one for use in found.uses for one in rows.fields(use)],
        "unknown": [f"{one.reason} {one.where}".strip() for one in unknowns_of(found.step)],
        "policies": {
            kind.name: {one.path: {"value": one.text, "source": one.source} for one in options}
            for kind, options in found.options.items()
        },
        "worst_case": min(worst.seconds, found.limit),
        "critical_path": [name for name, _ in worst.path],
        "is_limited_by_request": worst.seconds >= found.limit,
    }
