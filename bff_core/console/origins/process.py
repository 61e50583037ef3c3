"""Divides the stored response of a request among the parts that it comes from.

The request is sent again by a probe, once for each route or query, to learn where the values of
each part go. Nothing is recorded while a gateway serves requests.
"""

from typing import Final
from urllib.parse import parse_qsl

import msgspec

from bff_core.console.origins.applied import apply
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.exchange import FoundOrigins, OriginsRequest
from bff_core.console.origins.learned import Learned
from bff_core.console.probe.probe import ProbeRequest, open_probe
from bff_core.gateway.app import Gateway
from bff_core.inspection.routes import routes_of

NOT_SENT: Final = frozenset(
    {
        *("host", "connection", "content-length", "content-type"),
        *("accept", "accept-encoding", "if-none-match", "if-modified-since", "range"),
        *("traceparent", "tracestate", "baggage", "x-request-id"),
    }
)
"""Headers of a request that are not sent again: the answer is to be complete JSON, and no trace of
the request is continued.
"""


async def find_origins(
    app: Gateway, stored: OriginsRequest, learned: LearnedOrigins
) -> FoundOrigins:
    """Return where the places of a stored response come from; a note says why it is not known."""
    try:
        response = msgspec.json.decode(stored.response)
    except msgspec.DecodeError:
        return FoundOrigins(note="the response is not JSON")
    path, _, parameters = stored.target.partition("?")
    known: Learned | None = None
    if any(one.kind == "graphql" and one.path == path for one in routes_of(app)):
        query, operation = _query_of(stored.body, parameters)
        known = learned.of_query(path, query, operation)
    elif stored.method == "GET":
        headers = tuple(one for one in stored.headers if one[0].lower() not in NOT_SENT)
        request = ProbeRequest(method="GET", target=stored.target, headers=headers)
        async with open_probe(app) as probe:
            known = await learned.of_route(stored.route or path, probe, request)
        if known is None:
            return FoundOrigins(note="the request, sent again, was not answered with JSON")
    if known is None:
        return FoundOrigins(note="the request may change something, so it is not sent again")
    found = apply(known, response)
    return FoundOrigins(origins=found.parts, sent=found.bytes)


def _query_of(body: str, parameters: str) -> tuple[str, str]:
    """Return the query and the operation's name of a request to GraphQL, empty without them."""
    members: object = dict(parse_qsl(parameters))
    if body:
        try:
            members = msgspec.json.decode(body)
        except msgspec.DecodeError:
            members = None
    if not isinstance(members, dict):
        return "", ""
    query, operation = members.get("query"), members.get("operationName")
    return str(query or ""), str(operation or "")
