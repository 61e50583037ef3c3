"""Divides the stored response of a request among the parts that it comes from.

The request is sent again by a probe, once for each route or query, to learn where the values of
each part go. Nothing is recorded while a gateway serves requests.
"""

from typing import Final

import msgspec

from bff_core.console.origins.applied import apply
from bff_core.console.origins.cached import LearnedOrigins, operation_of
from bff_core.console.origins.exchange import FoundOrigins, OriginsRequest
from bff_core.console.origins.learned import Learned
from bff_core.console.probe.probe import ProbeRequest, open_probe, takes_demo_viewers
from bff_core.gateway.app import Gateway
from bff_core.inspection.routes import routes_of

ANYONE: Final = "1"
"""The user who is signed in where the user of a request is not known."""


async def find_origins(
    app: Gateway, stored: OriginsRequest, learned: LearnedOrigins
) -> FoundOrigins:
    """Return where the places of a stored response come from; a note says why it is not known."""
    try:
        response = msgspec.json.decode(stored.response)
    except msgspec.DecodeError:
        return FoundOrigins(note="the response is not JSON")
    query = operation_of(stored.body) if stored.body else ""
    is_graphql = bool(query) and _is_graphql(app, stored.target)
    if not is_graphql and stored.method != "GET":
        return FoundOrigins(note="the request may change something, so it is not repeated")
    known = await _learn(app, stored, learned, query if is_graphql else "")
    if known is None:
        return FoundOrigins(note="a repeated request was not answered with JSON")
    found = apply(known, response)
    return FoundOrigins(origins=found.parts, sent=found.bytes)


def _is_graphql(app: Gateway, target: str) -> bool:
    path = target.partition("?")[0]
    return any(one.kind == "graphql" and one.path == path for one in routes_of(app))


async def _learn(
    app: Gateway, stored: OriginsRequest, learned: LearnedOrigins, query: str
) -> Learned | None:
    viewer = (stored.viewer or ANYONE) if takes_demo_viewers(app) else ""
    path = stored.target.partition("?")[0]
    request = ProbeRequest(
        method=stored.method, target=stored.target, body=stored.body.encode(), viewer=viewer
    )
    async with open_probe(app) as probe:
        return await learned.of(probe, request, stored.route or path, path, query)
