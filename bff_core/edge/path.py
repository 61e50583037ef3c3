"""The path that routes match, whatever a proxy put in front of it."""

from starlette._utils import get_route_path
from starlette.types import Scope as ASGIScope


def path_of(scope: ASGIScope) -> str:
    """Return the path without the root path; itself where it does not begin with that.

    Probes ask a process directly, and clients by way of the proxy that took a prefix.
    """
    return get_route_path(scope) if scope.get("root_path") else str(scope["path"])
