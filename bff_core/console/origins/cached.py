"""`LearnedOrigins`: what was learned of a bounded number of requests of one gateway."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from bff_core.console.origins.learned import Learned, learn
from bff_core.console.sandbox.sandbox import Sandbox, SandboxRequest
from bff_core.gateway.app import Gateway
from bff_core.gateway.recorded_parts import Composed

MAX_REQUESTS: Final = 200
"""Requests and queries whose origins are stored; the least recently used one is dropped."""


class LearnedOrigins:
    """Returns the origins of a request's or a query's answers, and stores them.

    What was learned while a part failed is not stored: the part has a sample of its declared type
    then.
    """

    def __init__(self, app: Gateway) -> None:
        self._app = app
        self._known: OrderedDict[tuple[str, str], Learned] = OrderedDict()

    async def of_request(
        self, key: str, sandbox: Sandbox, request: SandboxRequest, composed: Sequence[Composed]
    ) -> Learned | None:
        """Return what is known of a GET; None if nothing can be learned.

        `key` stands for the request, `composed` are the compositions of its answer.
        """
        found = self._known.pop((key, ""), None) or await learn(sandbox, request, composed)
        self._store((key, ""), found)
        return found

    def known(self, key: str) -> Learned | None:
        """Return what was learned of a request already."""
        return self._known.get((key, ""))

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
