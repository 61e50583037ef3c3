"""The same by a proxied route: nothing but its options, between the cache suite and its origin."""

from starlette.types import ASGIApp

from bff_core import ANYONE, EdgeOptions, gateway
from bff_core.proxy import Match, Proxy, Route, Transform
from tests.foreign.cache_gateway import Origin, PlainVary

ROUTE = Route(
    "origin",
    Match("/{path:path}"),
    to=Origin,
    access=ANYONE,
    max_body=2**24,
    idempotency=False,
    transform=Transform(forwarded="off"),
)


def make_app() -> ASGIApp:
    """Make the gateway."""
    options = EdgeOptions(max_body=2**24)
    return PlainVary(gateway("cache", faces=[Proxy(routes=[ROUTE])], options=options))
