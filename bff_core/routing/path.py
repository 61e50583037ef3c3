"""The path that routes match: the path of a request without its root path."""

from starlette.types import Scope as ASGIScope

from bff_core.compat.starlette import get_route_path


def path_of(scope: ASGIScope) -> str:
    """Return the path without the root path; a path without the root path stays as it is.

    Probes call a process directly, clients call it through the proxy that adds the root path.
    """
    return get_route_path(scope) if scope.get("root_path") else str(scope["path"])
