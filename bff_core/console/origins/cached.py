"""`LearnedOrigins`: what was learned of a bounded number of requests of one gateway."""

from collections import OrderedDict
from typing import Final

import msgspec

from bff_core.console.origins.learned import Learned, learn
from bff_core.console.probe.probe import Probe, ProbeRequest
from bff_core.gateway.app import Gateway

MAX_REQUESTS: Final = 200
"""Routes and queries whose origins are stored; the least recently used one is dropped."""


class LearnedOrigins:
    """Returns the origins of a route's or a query's answers, and stores them.

    They hold for all answers of a route. What was learned while a part failed is not stored: the
    part has a sample of its declared type then.
    """

    def __init__(self, app: Gateway) -> None:
        self._app = app
        self._known: OrderedDict[tuple[str, str], Learned] = OrderedDict()

    async def of(
        self, probe: Probe, request: ProbeRequest, route: str, path: str = "", query: str = ""
    ) -> Learned | None:
        """Return what is known of a request that only reads; None if nothing can be learned.

        `route` is its template. A request to GraphQL has the `path` of the endpoint and a `query`.
        """
        key = (request.method, query or route)
        found = self._known.pop(key, None)
        if found is None:
            found = self._of_query(path, query) if query else await learn(probe, request)
        if found is not None and found.is_complete:
            self._known[key] = found
            if len(self._known) > MAX_REQUESTS:
                self._known.popitem(last=False)
        return found

    def _of_query(self, path: str, query: str) -> Learned | None:
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.console.origins.graphql_fields import (  # noqa: PLC0415 # see above
            parts_of_query,
        )

        return parts_of_query(self._app, path, query)


def operation_of(body: str) -> str:
    """Return the query in the body of a request to GraphQL; empty if there is none."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    query = found.get("query") if isinstance(found, dict) else None
    return query if isinstance(query, str) else ""
