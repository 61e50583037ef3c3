"""Sends the requests of views: a route with its inputs, or a query of a field."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from bff_core.console.sandbox.sandbox import Sandbox, SandboxAnswer, SandboxRequest
from bff_core.console.screens.views import ScreenView, target_of
from bff_core.gateway.app import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewExchange:
    """The request that was sent for a view, and its answer; `path` and `query` are of GraphQL."""

    request: SandboxRequest
    answer: SandboxAnswer
    path: str = ""
    query: str = ""
    note: str = ""


async def send_view(
    app: Gateway, sandbox: Sandbox, view: ScreenView, viewer: str, inputs: Mapping[str, str]
) -> ViewExchange:
    """Send the request of a view for a viewer.

    A field is requested by the longest query of a client that selects only that field, else by one
    with all fields, as deep as the gateway accepts.
    """
    if view.route.kind == "field":
        return await _send_query(app, sandbox, view, viewer, inputs)
    target, note = target_of(view.route, inputs)
    request = SandboxRequest(method="GET", target=target, viewer=viewer)
    return ViewExchange(request=request, answer=await sandbox.send(request), note=note)


async def _send_query(
    app: Gateway, sandbox: Sandbox, view: ScreenView, viewer: str, inputs: Mapping[str, str]
) -> ViewExchange:
    # Imported here because gateways without GraphQL need no library of it.
    from bff_core.console.screens.queries import queries_of  # noqa: PLC0415 # see above

    sent: ViewExchange | None = None
    for path, query, note in queries_of(app, view.route.path, inputs):
        body = msgspec.json.encode({"query": query})
        request = SandboxRequest(method="POST", target=path, body=body, viewer=viewer)
        answer = await sandbox.send(request)
        sent = ViewExchange(request=request, answer=answer, path=path, query=query, note=note)
        if sent.answer.status == 200 and b'"data"' in sent.answer.body[:200]:
            return sent
    assert sent is not None  # noqa: S101 - there is at least one query
    return sent
