"""Divides the stored response of a request among the parts that it comes from.

To learn where the values of each part go, the view runs again on the values that the parts of this
very request had: another one of its route may take another path through the view. No service is
called for it.
"""

from typing import Final
from urllib.parse import parse_qsl

from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.origins.applied import apply
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.exchange import FoundOrigins, OriginsRequest
from bff_core.console.origins.learned import Learned
from bff_core.console.sandbox.sandbox import SandboxRequest, open_sandbox
from bff_core.gateway.app import Gateway
from bff_core.inspection.routes import routes_of

NOT_SENT: Final = frozenset(
    {
        *("host", "connection", "content-length", "content-type"),
        *("accept", "accept-encoding", "if-none-match", "if-modified-since", "range"),
        *("traceparent", "tracestate", "baggage", "x-request-id"),
    }
)
"""Headers of a request that its runs lack: the answer is to be JSON, and no trace is continued."""


async def find_origins(
    app: Gateway, stored: OriginsRequest, learned: LearnedOrigins
) -> FoundOrigins:
    """Return where the places of a stored response come from; none if it is not known."""
    try:
        response = decode_foreign(stored.response)
    except NotDecoded:
        return FoundOrigins()  # it is not JSON
    path, _, parameters = stored.target.partition("?")
    known: Learned | None = None
    if any(one.kind == "graphql" and one.path == path for one in routes_of(app)):
        query, operation = _query_of(stored.body, parameters)
        known = learned.of_query(path, query, operation)
    elif stored.method == "GET":
        known = await _learned(app, stored.span_id, learned)
    if known is None:
        return FoundOrigins()
    found = apply(known, response)
    return FoundOrigins(origins=found.parts, sent=found.bytes)


async def _learned(app: Gateway, span_id: str, learned: LearnedOrigins) -> Learned | None:
    """Return what is known of a request, or learned from the values of its parts."""
    recorded = app.parts_recorder.get(span_id)
    if recorded is None:
        return learned.known(span_id)
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in recorded.headers
        if name.decode("latin-1").lower() not in NOT_SENT
    ]
    request = SandboxRequest(method="GET", target=recorded.target, headers=tuple(headers))
    async with open_sandbox(app) as sandbox:
        return await learned.of_request(span_id, sandbox, request, recorded.composed)


def _query_of(body: str, parameters: str) -> tuple[str, str]:
    """Return the query and the operation's name of a request to GraphQL, empty without them."""
    members: object = dict(parse_qsl(parameters))
    if body:
        try:
            members = decode_foreign(body)
        except NotDecoded:
            members = None
    if not isinstance(members, dict):
        return "", ""
    query, operation = members.get("query"), members.get("operationName")
    return str(query or ""), str(operation or "")
