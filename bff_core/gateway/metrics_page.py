"""`/metrics` at the gateway, to requests with the operator's token."""

from collections.abc import Awaitable

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bff_core.admin.operator_token import OperatorToken
from bff_core.edge.concern import HTTP_ONLY
from bff_core.gateway.metrics_port import (
    METRICS_PATH,
    READ_METHODS,
    TIMEOUT_HEADER,
    Scraping,
    timeout_of,
)
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable


def has_metrics_route(table: RouteTable) -> bool:
    """Whether a route of the application has the path."""
    return any(entry.path == METRICS_PATH for entry in table.entries)


class MetricsPage:
    """After the limits by address: answers `/metrics` to requests with the operator's token."""

    __slots__ = ("_scrape", "_token")
    kinds = HTTP_ONLY

    def __init__(self, *, token: OperatorToken, scrape: Scraping) -> None:
        self._token = token
        self._scrape = scrape

    def check(self, context: RequestContext) -> Awaitable[Response] | None:
        """Answer Prometheus; requests for other paths pass."""
        return self._answer(context) if path_of(context.asgi) == METRICS_PATH else None

    async def _answer(self, context: RequestContext) -> Response:
        self._token.check(context, "metrics")
        if context.scope.method not in READ_METHODS:
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        accept = context.fields.get(b"accept", b"").decode("latin-1")
        timeout = context.fields.get(TIMEOUT_HEADER.encode(), b"").decode("latin-1")
        content_type, body = await self._scrape(accept, timeout_of(timeout))
        return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})
