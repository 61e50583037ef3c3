"""What stands between the fast lane and FastAPI, and what the routes are checked for."""

from collections.abc import Sequence

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from bff_core.edge.guard import Guard, refuse_bare_cookies
from bff_core.edge.redirects import RelativeRedirects
from bff_core.edge.strict_numbers import refuse_booleans_for_numbers


def inner(app: ASGIApp, routes: Sequence[BaseRoute], *, is_guarded: bool) -> ASGIApp:
    """Wrap FastAPI's stack; raise `ConfigurationError` for routes that are not safe."""
    refuse_bare_cookies(routes)
    refuse_booleans_for_numbers(routes)
    app = RelativeRedirects(app)
    return Guard(app, routes) if is_guarded else app
