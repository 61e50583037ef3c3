"""Counts the requests that reached the services, and finds those that no upstream declares."""

import ast
import re
from collections import Counter
from pathlib import Path

from tests.processes.process import ROOT
from tests.processes.services import Service

SOURCES = ROOT / "bffs" / "services"
VERBS = {
    **{verb: verb.upper() for verb in ("get", "put", "post", "patch", "delete")},
    "ndjson": "GET",
    "sse": "GET",
}
OWN_REQUESTS = {"GET /healthz", "DELETE /carts/{}", "GET /payments", "GET /payment-methods"}
"""The requests that the suite itself sends to services."""


def declared(folder: Path = SOURCES) -> dict[str, set[str]]:
    """Return the routes of each service that the upstreams call, as `GET /users/{}`."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "Upstream" in map(ast.unparse, node.bases):
                found[_name_of(node)] = set(_routes_of(node))
    return found


def _name_of(node: ast.ClassDef) -> str:
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "name":
            return str(ast.literal_eval(line.value))
    return node.name.lower()


def _routes_of(node: ast.ClassDef) -> list[str]:
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and call.args]
    return [
        f"{VERBS[call.func.attr]} {re.sub('{.*?}', '{}', str(ast.literal_eval(call.args[0])))}"
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in VERBS
        if ast.unparse(call.func.value) == "self"
    ]


class CallCounts:
    """The counters of all services, those before a kill included."""

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()
        self.routes: Counter[str] = Counter()
        self._allowed = declared()

    def note(self, service: Service) -> None:
        """Add the counters of a service, and reset them."""
        calls = service.calls
        service.forget()
        self.attempts[service.name] += int(calls["total"])
        for route, count in calls["routes"].items():
            self.routes[f"{service.name} {re.sub('{.*?}', '{}', route)}"] += count

    def undeclared(self) -> list[str]:
        """Return the routes that were called and are declared by no upstream."""
        allowed = {f"{name} {route}" for name, routes in self._allowed.items() for route in routes}
        return sorted(set(self.routes) - allowed)

    def undeclared_paths(self, service: Service) -> list[str]:
        """Return the paths in a service's access log that fit no declared route."""
        routes = self._allowed[service.name] | OWN_REQUESTS
        patterns = [re.escape(route).replace(r"\{\}", "[^/?#]+") for route in routes]
        allowed = re.compile(rf"(?:{'|'.join(patterns)})(?:\?.*)?")
        lines = (f"{method} {path}" for method, path in service.access_log())
        return sorted({line for line in lines if not allowed.fullmatch(line)})
