"""Follows the lists of endpoints that discoveries yield, and survives their failures."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.runtime import Runtime

RETRY_SECONDS: Final = 1.0
"""How long after a failure a discovery is watched again."""

FIRST_LIST_SECONDS: Final = 2.0
"""How long calls wait for the first list."""

MAX_ENDPOINTS: Final = 10_000
"""The longest list; a longer one is probably a mistake."""

Found = Sequence[EndpointOptions]


class DiscoveryWatch:
    """The endpoints that the discoveries of one upstream yielded last.

    `apply` is called with an error message or "" after each change and each new error. It raises
    `ConfigurationError` for endpoints that can't be called; they are then not used.
    """

    def __init__(
        self,
        discoveries: Sequence[Discovery],
        options: Balance,
        runtime: Runtime,
        apply: Callable[[str], None],
    ) -> None:
        self._discoveries = tuple(discoveries)
        self._options = options
        self._runtime = runtime
        self._apply = apply
        self._lists: dict[int, Found] = {}
        self._errors: dict[int, str] = {}
        self._expiries: dict[int, asyncio.TimerHandle] = {}
        self._unheard = set(range(len(self._discoveries)))
        self._heard: asyncio.Future[None] = runtime.loop.create_future()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def found(self) -> list[EndpointOptions]:
        """All endpoints, in the order of the discoveries."""
        return [one for index in sorted(self._lists) for one in self._lists[index]]

    def start(self) -> None:
        """Watch in the background, unless it does."""
        if not self._tasks:
            self._tasks = [
                self._runtime.spawn(self._follow(index, discovery))
                for index, discovery in enumerate(self._discoveries)
            ]

    def stop(self) -> None:
        """Stop watching; the endpoints stay as they are."""
        for task in self._tasks:
            task.cancel()
        for index in list(self._expiries):
            self._cancel_expiry(index)
        self._wake()

    async def first(self) -> None:
        """Wait for the first list of each discovery, at most `FIRST_LIST_SECONDS`."""
        self.start()
        if not self._heard.done():
            await asyncio.wait((self._heard,), timeout=FIRST_LIST_SECONDS)

    async def _follow(self, index: int, discovery: Discovery) -> None:
        while True:
            try:
                async with _closing(discovery.watch()) as lists:
                    async for found in lists:
                        self._accept(index, found)
                reason = "the discovery has ended"
            except Exception as error:  # noqa: BLE001 - a discovery of the user's may raise any
                reason = str(error) or type(error).__name__
            self._fail(index, f"{discovery!r}: {reason}")
            await asyncio.sleep(RETRY_SECONDS)

    def _accept(self, index: int, found: object) -> None:
        """Use a list; raise `ConfigurationError` for a wrong one, and go on with the last."""
        checked, before = _checked(found), self._lists.get(index)
        if before != checked or index in self._errors:
            self._lists[index] = checked
            try:
                self._apply("")
            except ConfigurationError:
                self._put_back(index, before)
                raise
        self._errors.pop(index, None)
        self._cancel_expiry(index)
        self._note(index)

    def _put_back(self, index: int, before: Found | None) -> None:
        if before is None:
            del self._lists[index]
        else:
            self._lists[index] = before

    def _fail(self, index: int, error: str) -> None:
        if index in self._lists and index not in self._expiries:
            self._expiries[index] = self._runtime.loop.call_later(
                self._options.last_good_for, self._expire, index
            )
        if self._errors.get(index) != error:
            self._errors[index] = error
            self._apply(error)
        self._note(index)

    def _expire(self, index: int) -> None:
        """Drop a list that could not be renewed for too long, also if the discovery hangs."""
        del self._expiries[index], self._lists[index]
        self._apply(self._errors.get(index, ""))

    def _cancel_expiry(self, index: int) -> None:
        expiry = self._expiries.pop(index, None)
        if expiry is not None:
            expiry.cancel()

    def _note(self, index: int) -> None:
        self._unheard.discard(index)
        if not self._unheard:
            self._wake()

    def _wake(self) -> None:
        if not self._heard.done():
            self._heard.set_result(None)


def _checked(found: object) -> Found:
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise ConfigurationError(f"yielded {found!r:.200}, not a list of EndpointOptions")
    if not all(isinstance(one, EndpointOptions) for one in found):
        raise ConfigurationError(f"yielded {found!r:.200}, not a list of EndpointOptions")
    if len(found) > MAX_ENDPOINTS:
        raise ConfigurationError(f"yielded more than {MAX_ENDPOINTS:,} endpoints")
    return tuple(found)


@asynccontextmanager
async def _closing(lists: AsyncIterator[Found]) -> AsyncIterator[AsyncIterator[Found]]:
    """Close an iterator that can be closed, such as an async generator."""
    try:
        yield lists
    finally:
        close = getattr(lists, "aclose", None)
        if close is not None:
            await close()
