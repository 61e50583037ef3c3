"""The pages of a gateway in development: `/`, `/docs`, `/redoc`, the icon, GraphQL in a browser.

They lead to the console: that of `bff dev`, or the gateway's own.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from bff_core.edge.concern import HTTP_ONLY
from bff_core.gateway.console import CONSOLE_PATH, is_console_path
from bff_core.gateway.icon import ICON_PATH, icon_response
from bff_core.gateway.index_page import IndexRow, index_page, index_response
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable

CONSOLE_VARIABLE: Final = "BFF_DEV_CONSOLE"
"""The environment variable with the address of the console; `bff dev` sets it."""

API_PATHS: Final = ("/docs", "/redoc")

_READS: Final = frozenset({"GET", "HEAD"})

Page = Callable[[RequestContext], Response | None]


class DevelopmentPages:
    """After the limits by address: answers a browser where the gateway has no route of its own.

    `console` is the address of the console of `bff dev`; without it the gateway serves its own.
    `rows` returns what the index lists. `graphql` are the paths of GraphQL: a browser that opens
    one without a query gets the explorer.
    """

    __slots__ = ("_console", "_name", "_pages", "_rows", "_table")
    kinds = HTTP_ONLY

    def __init__(
        self,
        name: str,
        table: RouteTable,
        *,
        console: str,
        rows: Callable[[], Sequence[IndexRow]],
        graphql: Iterable[str],
    ) -> None:
        self._name = name
        self._table = table
        self._console = console
        self._rows = rows
        self._pages: dict[str, Page] = {
            "/": self._index,
            ICON_PATH: self._icon,
            **dict.fromkeys(API_PATHS, self._api),
            **dict.fromkeys(graphql, self._explorer),
        }

    def check(self, context: RequestContext) -> Response | None:
        """Answer a request for one of the pages; others pass."""
        path = path_of(context.asgi)
        if context.scope.method not in _READS:
            return None
        if self._console and is_console_path(path):
            return self._moved(context, path)
        page = self._pages.get(path)
        return None if page is None else page(context)

    def _index(self, context: RequestContext) -> Response | None:
        if self._has_route("/"):
            return None
        prefix = context.asgi.get("root_path", "")
        links = [
            ("Console", self._address(context, "")),
            ("API", self._api_address(context)),
            ("OpenAPI", f"{prefix}/openapi.json"),
            ("Health", f"{prefix}/readyz"),
        ]
        return index_response(index_page(self._name, links, self._rows()))

    def _api(self, context: RequestContext) -> Response | None:
        if self._has_route(path_of(context.asgi)):
            return None
        return _redirect(self._api_address(context))

    def _explorer(self, context: RequestContext) -> Response | None:
        accepts_html = b"text/html" in context.fields.get(b"accept", b"")
        if not accepts_html or context.asgi["query_string"]:
            return None
        return _redirect(f"{self._api_address(context)}&kind=graphql")

    def _icon(self, _: RequestContext) -> Response | None:
        return None if self._has_route(ICON_PATH) else icon_response()

    def _moved(self, context: RequestContext, path: str) -> Response:
        query = context.asgi["query_string"].decode("latin-1")
        address = self._address(context, path.removeprefix(CONSOLE_PATH))
        return _redirect(f"{address}?{query}" if query else address)

    def _api_address(self, context: RequestContext) -> str:
        return f"{self._address(context, '/api')}?{urlencode({'gateway': self._name})}"

    def _address(self, context: RequestContext, path: str) -> str:
        """Return the address of a page of the console."""
        prefix = context.asgi.get("root_path", "")
        return f"{self._console or prefix + CONSOLE_PATH}{path}"

    def _has_route(self, path: str) -> bool:
        return self._table.find("GET", path).entry is not None


def _redirect(address: str) -> Response:
    return RedirectResponse(address, 307, headers={"cache-control": "no-store"})
