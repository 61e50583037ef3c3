"""How a proxied route answers a request, as far as the model and the settings say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.types import Scope as ASGIScope

from bff_core.gateway.app import Gateway
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.match import Match
from bff_core.proxy.plan import ForwardPlan, RouteMatching
from bff_core.proxy.precedence import AnyMatch, PathMatch, rank_of
from bff_core.proxy.route import MIB, Route
from bff_core.proxy.transforms.values import RequestValues
from bff_core.routing.path import segments_of
from bff_core.routing.route_table import RouteEntry, RouteTable
from bff_core.settings.model import variable_name
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """A route that would take a request; `rank` sorts the winner first."""

    entry: RouteEntry
    rank: tuple[object, ...]
    match: AnyMatch

    @property
    def route(self) -> Route | None:
        """The proxied route; None for one in Python."""
        matching = self.entry.matching
        return matching.route if isinstance(matching, RouteMatching) else None


def scope_of(
    method: str, target: str, headers: Sequence[tuple[str, str]] = (), host: str = "localhost"
) -> ASGIScope:
    """Return the ASGI scope of a request; `target` is its path, with a query or without."""
    path, _, query = target.partition("?")
    given = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    own = [] if any(name == b"host" for name, _ in given) else [(b"host", host.encode("latin-1"))]
    return {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [*own, *given],
        "root_path": "",
    }


def matched_routes(table: RouteTable, scope: ASGIScope) -> list[MatchedRoute]:
    """Return the routes that would take a request, the winner first."""
    found = [one for entry in table.entries for one in _matched(entry, scope)]
    winner = table.find(scope["method"], scope["path"], scope).entry
    return sorted(found, key=lambda one: (one.entry is not winner, one.rank))


def unmet_routes(table: RouteTable, scope: ASGIScope) -> list[Route]:
    """Return the proxied routes of the path and the method whose conditions do not hold."""
    return [
        entry.matching.route
        for entry in table.entries
        if isinstance(entry.matching, RouteMatching) and _takes(entry, scope)
        if not any(way.holds is None or way.holds(scope) for way in entry.matching.ways)
    ]


def _takes(entry: RouteEntry, scope: ASGIScope) -> bool:
    """Whether a route takes the path and the method of a request."""
    path, method = segments_of(scope, scope["path"]), scope["method"]
    if entry.is_socket or (entry.methods and method not in entry.methods):
        return False
    return any(entry.pattern.fullmatch(one) is not None for one in (path, scope["path"]))


def _matched(entry: RouteEntry, scope: ASGIScope) -> Iterator[MatchedRoute]:
    if not _takes(entry, scope):
        return
    if isinstance(entry.matching, RouteMatching):
        ways = entry.matching.ways
        ranks = [way.rank for way in ways if way.holds is None or way.holds(scope)]
        if ranks:
            yield MatchedRoute(entry, min(ranks), entry.matching.route.match)
        return
    match = PathMatch(entry.typed_path, tuple(entry.methods))
    yield MatchedRoute(entry, rank_of(match), match)


def shown_condition(match: AnyMatch) -> str:
    """Return in a few words what places a route behind others: its order, or its path."""
    return f"order {match.order}" if match.order else match.path


def path_values(route: Route, target: str) -> dict[str, str]:
    """Return the parameters of a path as the client encoded them; empty if it is the template."""
    path = target.partition("?")[0]
    if path == route.match.path:
        return {}
    return dict(ForwardPlan.of(route, "").parameters.of(path))


def forwarded_path(route: Route, target: str) -> str:
    """Return the path that the service gets; the values of a viewer stay placeholders."""
    path = target.partition("?")[0]
    own = None if route.transform is None else route.transform.path
    if isinstance(own, str) and (
        "{claims." in own or "{headers." in own or path == route.match.path
    ):
        text = own
        for name, value in path_values(route, target).items():
            text = text.replace(f"{{{name}}}", value).replace(f"{{route.{name}}}", value)
        return text
    if path == route.match.path:
        return path
    values = RequestValues(None, path_values(route, target))  # type: ignore[arg-type] # not read
    return ForwardPlan.of(route, "").rewrite(path, values).path


def upstream_of(app: Gateway, named: type[Upstream] | str) -> type[Upstream] | None:
    """Return the class of an upstream that a route names."""
    if not isinstance(named, str):
        return named
    return next((kind for kind in app.services if kind.name == named), None)


def name_of_upstream(named: type[Upstream] | str) -> str:
    """Return the name of an upstream."""
    return named if isinstance(named, str) else named.name


def shown_targets(route: Route) -> str:
    """Return where the requests of a route go: "suppliers 95 % · suppliers_next 5 % by viewer"."""
    if route.files is not None:
        rest = f", else {route.files.fallback}" if route.files.fallback else ""
        return f"files in {route.files.directory}{rest}"
    assert route.to is not None, route.id  # noqa: S101 # one of both is given
    own = name_of_upstream(route.to)
    left = 100 - sum(one.percent for one in route.splits)
    shown = [own if left == 100 else f"{own} {left:g} %"]
    shown += [f"{name_of_upstream(one.to)} {one.percent:g} % by {one.by}" for one in route.splits]
    if route.mirror is not None:
        shown.append(f"mirror {name_of_upstream(route.mirror.to)} {route.mirror.percent:g} %")
    return " · ".join(shown)


def shown_endpoints(app: Gateway, kind: type[Upstream], *, is_configured: bool) -> list[str]:
    """Return the endpoints of an upstream by host, each with its weight if it has one.

    Those of the class count unless the environment configures others.
    """
    declared: Sequence[object] = kind.endpoints
    configured: Sequence[object] = app.settings.upstreams.get(variable_name(kind.name)) or ()
    return [_shown_endpoint(one) for one in (configured if is_configured else declared)]


def _shown_endpoint(one: object) -> str:
    url = urlsplit(str(getattr(one, "url", one)))
    host = url.netloc.rpartition("@")[2] or url.path
    extras = [f"weight {weight}" for weight in [getattr(one, "weight", 1)] if weight != 1]
    extras += [f"priority {n}" for n in [getattr(one, "priority", 0)] if n]
    extras += [f"zone {zone}" for zone in [getattr(one, "zone", "")] if zone]
    return f"{host} ({', '.join(extras)})" if extras else host


def shown_stack(policy: Policy) -> str:
    """Return the layers of a policy from the outside in, each with its most telling option."""
    retry, bulkhead, affinity = policy.retry, policy.bulkhead, policy.affinity
    layers = [
        f"deadline {policy.timeout:g} s",
        "" if policy.cache is None else "cache",
        "coalesce" if policy.coalesce else "",
        "" if policy.hedge is None else "hedge",
        "no retry" if retry is None or retry.attempts == 1 else f"retry {retry.attempts}",
        "no breaker" if policy.breaker is None else "breaker",
        "" if bulkhead is None else f"bulkhead {bulkhead.concurrent}",
        f"credentials {_class_of(policy.credentials)}",
        f"balance {policy.balance.algorithm}"
        + ("" if affinity is None else f" + affinity by {affinity.by}"),
    ]
    return " → ".join(one for one in layers if one)


def _class_of(options: object) -> str:
    return "none" if options is None else type(options).__name__


def conditions_of(match: Match) -> list[str]:
    """Return the conditions of a match beside path and methods, in words."""
    found = [f"host {' or '.join(match.hosts)}"] if match.hosts else []
    for kind, by_name in (
        ("header", match.headers),
        ("query", match.query),
        ("cookie", match.cookies),
    ):
        for name, one in by_name.items():
            found.append(f"{kind} {name} {_shown_value(one)}")
    found += [f"client {match.client}"] if match.client else []
    return [*found, *([f"app version {match.app_version}"] if match.app_version else [])]


def _shown_value(one: object) -> str:
    if isinstance(one, str):
        return f"is {one!r}"
    for name in ("exists", "absent"):
        if getattr(one, name):
            return name
    for name, verb in (("equals", "is"), ("prefix", "begins with"), ("regex", "matches")):
        if (value := getattr(one, name)) is not None:
            return f"{verb} {value!r}"
    return ""


def shown_size(number: int) -> str:
    """Return bytes as "2 GiB", "64 KiB" or "100 bytes"."""
    for unit, size in (("GiB", 1024 * MIB), ("MiB", MIB), ("KiB", 1024)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number} bytes"
