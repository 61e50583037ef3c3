"""What stands between the fast lane and FastAPI, and what the routes are checked for."""

from collections.abc import Sequence

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from bff_core.edge.redirects import RelativeRedirects
from bff_core.edge.strict_numbers import refuse_non_numbers
from bff_core.routing.access import AccessControl, RouteRules
from bff_core.routing.methods import Methods
from bff_core.routing.route_table import places_of


def inner(app: ASGIApp, routes: Sequence[BaseRoute], rules: RouteRules) -> ASGIApp:
    """Wrap FastAPI's stack in the access rules of its routes; HEAD is served as GET."""
    refuse_non_numbers(routes)
    return Methods(AccessControl(RelativeRedirects(app), rules), list(places_of(routes)))
