"""Wraps FastAPI's own stack in what the fast path has built in: access, HEAD, redirects."""

from starlette.types import ASGIApp

from bff_core.edge.redirects import RelativeRedirects
from bff_core.routing.access import AccessControl
from bff_core.routing.methods import Methods
from bff_core.routing.route_table import RouteTable


def slow_path(app: ASGIApp, table: RouteTable) -> ASGIApp:
    """Wrap FastAPI's stack in the access rules of its routes; HEAD is served as GET."""
    return Methods(AccessControl(RelativeRedirects(app), table), table)
