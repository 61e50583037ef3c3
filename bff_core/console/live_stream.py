"""The live stream: one poller for all pages, and a bounded queue of messages per page."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import msgspec

from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.model import Live

Contribute = Callable[[Live, bool], Awaitable[None]]
"""Adds what changed since the last call to a message; if True, all that a new page needs."""

INTERVAL_SECONDS: Final = 0.25
"""The time between two messages."""

HEARTBEAT_SECONDS: Final = 15.0
"""After how long a page without messages gets a comment, so that proxies hold the line open."""

MAX_PAGES: Final = 50
"""Pages that listen at once."""

MAX_WAITING: Final = 8
"""Messages that wait for a slow page; then it loses them and gets all at once."""

_HEARTBEAT: Final = b":\n\n"


class _Page:
    """The messages for one page, the oldest first; None among them ends its stream."""

    def __init__(self) -> None:
        self.wants_all = True
        self._frames: deque[bytes | None] = deque()
        self._has_frames = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Add a message; if too many wait, drop them: the page then gets all at once."""
        if not frame:
            return
        if len(self._frames) >= MAX_WAITING:
            self._frames.clear()
            self._has_frames.clear()
            self.wants_all = True
            return
        self._frames.append(frame)
        self._has_frames.set()

    def end(self) -> None:
        """End the stream after what waits."""
        self._frames.append(None)
        self._has_frames.set()

    async def next(self) -> bytes | None:
        """Wait for the next message."""
        await self._has_frames.wait()
        frame = self._frames.popleft()
        if not self._frames:
            self._has_frames.clear()
        return frame


class LiveFeed:
    """Collects what changed from contributors and sends it to all pages, four times a second.

    It works while a page listens. `wall` returns Unix time.
    """

    def __init__(self, *, wall: Clock = time.time) -> None:
        self._wall = wall
        self._contributors: list[Contribute] = []
        self._pages: set[_Page] = set()
        self._poller: asyncio.Task[None] | None = None
        self._number = 0
        self._failed: set[Contribute] = set()

    @property
    def pages(self) -> int:
        """How many pages listen."""
        return len(self._pages)

    def add(self, contribute: Contribute) -> None:
        """Add a contributor; `routes(console)` of an area calls this."""
        self._contributors.append(contribute)

    def frames(self, is_admitted: Callable[[], bool] = lambda: True) -> AsyncGenerator[bytes]:
        """Return the server-sent events of one page, as long as it `is_admitted`.

        Raises `ConsoleProblem` if too many pages listen.
        """
        if len(self._pages) >= MAX_PAGES:
            raise ConsoleProblem(
                503, "Too many pages are open", f"Close some: {MAX_PAGES} can be live at once."
            )
        return self._frames(is_admitted)

    async def _frames(self, is_admitted: Callable[[], bool]) -> AsyncGenerator[bytes]:
        if len(self._pages) >= MAX_PAGES:  # others came between the check and the first event
            yield b"retry: 5000\n\n"
            return
        page = _Page()
        self._pages.add(page)
        self._wake()
        try:
            yield b"retry: 1000\n\n"
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        frame: bytes | None = await page.next()
                except TimeoutError:
                    frame = _HEARTBEAT
                if frame is None or not is_admitted():
                    return
                yield frame
        finally:
            self._pages.discard(page)

    async def aclose(self) -> None:
        """End the streams of all pages, and stop collecting."""
        for page in self._pages:
            page.end()
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await poller

    def _wake(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.get_running_loop().create_task(self._poll())

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pages:
            began = loop.time()
            news = self._frame(await self._collected(is_all=False))
            for page in [one for one in self._pages if not one.wants_all]:
                page.put(news)
            if any(page.wants_all for page in self._pages):
                everything = self._frame(await self._collected(is_all=True))
                for page in [one for one in self._pages if one.wants_all]:
                    page.wants_all = False
                    page.put(everything)
            await asyncio.sleep(max(0.0, began + INTERVAL_SECONDS - loop.time()))

    async def _collected(self, *, is_all: bool) -> Live:
        """Return the news of all contributors, which wait for processes at the same time."""
        live = Live(time=self._wall())
        await asyncio.gather(*(self._contribute(one, live, is_all) for one in self._contributors))
        return live

    async def _contribute(self, contribute: Contribute, live: Live, is_all: bool) -> None:
        try:
            await contribute(live, is_all)
        except ConsoleProblem:
            pass  # a gateway that does not answer now: its pages say so
        except Exception:
            if contribute not in self._failed:
                self._failed.add(contribute)
                logging.getLogger("bff_core").exception("the console's live stream lacks news")

    def _frame(self, live: Live) -> bytes:
        """Return a message as a server-sent event; empty if nothing changed."""
        if live == Live(time=live.time):
            return b""
        self._number += 1
        return b"id: %d\ndata: %b\n\n" % (self._number, msgspec.json.encode(live))
