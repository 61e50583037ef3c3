"""The template of the route that FastAPI chose for a request, for logs and metrics."""

from starlette.types import Scope as ASGIScope

from bff_core.compat.fastapi import chosen_route


def route_template(scope: ASGIScope) -> str:
    """Return the template of the route that FastAPI chose; empty if it chose none."""
    route = chosen_route(scope)
    template = getattr(route, "path_format", None) or getattr(route, "path", "")
    if not isinstance(template, str):
        return ""
    # The templates of a mounted application lack the path of the mount.
    mounted: str | None = scope.get("app_root_path")
    return template if mounted is None else scope["root_path"].removeprefix(mounted) + template
