"""The template of the route that FastAPI chose for a request, for logs and metrics."""

from starlette.types import Scope as ASGIScope


def route_template(scope: ASGIScope) -> str:
    """Return the template of the route that FastAPI's router chose; empty if it chose none.

    FastAPI stores the full template of an included route beside the route, which lacks the prefix.
    """
    context = scope.get("fastapi", {}).get("effective_route_context")
    route = context or scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", "")
    if not isinstance(template, str):
        return ""
    # The templates of a mounted application lack the path of the mount.
    mounted: str | None = scope.get("app_root_path")
    return template if mounted is None else scope["root_path"].removeprefix(mounted) + template
