"""The template of the route that FastAPI chose for a request, for logs and metrics."""

from starlette.types import Scope as ASGIScope


def route_template(scope: ASGIScope) -> str:
    """Return the template of the route that the router chose, empty when it chose none.

    FastAPI stores the whole template of an included route beside the route itself, whose own
    lacks the prefix.
    """
    context = scope.get("fastapi", {}).get("effective_route_context")
    route = context or scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", "")
    if not isinstance(template, str):
        return ""
    # A mount has taken its own path off, and its routes know the rest alone.
    mounted: str | None = scope.get("app_root_path")
    return template if mounted is None else scope["root_path"].removeprefix(mounted) + template
