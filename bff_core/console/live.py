"""The live stream: one poller for all pages, and a bounded queue per page."""

from collections.abc import Awaitable, Callable

from bff_core.console.model import Live

Contribute = Callable[[Live, bool], Awaitable[None]]
"""Adds what changed since the last call to a message; all that a new page needs if True."""


class LiveFeed:
    """Collects what changed from contributors, four times a second at most."""

    def __init__(self) -> None:
        self._contributors: list[Contribute] = []

    def add(self, contribute: Contribute) -> None:
        """Add a contributor; `routes(console)` of an area calls this."""
        self._contributors.append(contribute)

    async def aclose(self) -> None:
        """End the streams of all pages."""
