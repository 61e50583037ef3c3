"""`LearnedOrigins`: what was learned of a bounded number of requests of one gateway."""

from collections import OrderedDict
from typing import Final

from bff_core.console.origins.learned import Learned, learn
from bff_core.console.probe.probe import Probe, ProbeAnswer, ProbeRequest
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

    async def of_route(
        self,
        route: str,
        probe: Probe,
        request: ProbeRequest,
        answer: ProbeAnswer | None = None,
    ) -> Learned | None:
        """Return what is known of a GET; None if nothing can be learned.

        `route` is its template. The request is sent unless its `answer` is given.
        """
        found = self._known.pop((route, ""), None)
        if found is None:
            found = await learn(probe, request, answer or await probe.send(request))
        self._store((route, ""), found)
        return found

    def of_query(self, path: str, query: str, operation: str = "") -> Learned | None:
        """Return what is known of a query to the endpoint at a path; None for a mutation."""
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.console.origins.graphql_fields import (  # noqa: PLC0415 # see above
            parts_of_query,
        )

        key = (query, operation)
        found = self._known.pop(key, None) or parts_of_query(self._app, path, query, operation)
        self._store(key, found)
        return found

    def _store(self, key: tuple[str, str], found: Learned | None) -> None:
        if found is not None and found.is_complete:
            self._known[key] = found
            if len(self._known) > MAX_REQUESTS:
                self._known.popitem(last=False)
