"""The live stream: one poller, bounded queues, an end."""

import asyncio
import json

import pytest

from bff_core.console.answers import ConsoleProblem
from bff_core.console.live_stream import INTERVAL_SECONDS, MAX_PAGES, MAX_WAITING, LiveFeed
from bff_core.console.model import Live, LogEntry

pytestmark = pytest.mark.virtual_time


def entry(number: int) -> LogEntry:
    """Return a line of a log."""
    return LogEntry(id=str(number), time=0.0, process="web", level="info", text=f"line {number}")


class Lines:
    """A contributor: a new line each time; a new page gets the line `all`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls = 0
        self.is_quiet = False
        self.seconds = seconds

    async def __call__(self, live: Live, is_all: bool) -> None:
        """Add a line."""
        self.calls += not is_all
        await asyncio.sleep(self.seconds if is_all else 0)
        if not self.is_quiet:
            live.logs.append(entry(0 if is_all else self.calls))


def feed_of(*contributors) -> LiveFeed:
    """Return a feed with contributors."""
    feed = LiveFeed(wall=lambda: 1_800_000_000.0)
    for one in contributors:
        feed.add(one)
    return feed


def lines_of(frame: bytes) -> list[int]:
    """Return the numbers of the lines in a message."""
    data = frame.decode().partition("data: ")[2]
    return [int(one["id"]) for one in json.loads(data)["logs"]]


async def test_a_page_gets_all_then_the_news_four_times_a_second():
    """The first message has what a new page needs; each later one what changed."""
    feed, loop = feed_of(Lines()), asyncio.get_running_loop()
    page = feed.frames()
    assert await anext(page) == b"retry: 1000\n\n"
    began = loop.time()

    first, second, third = [await anext(page) for _ in range(3)]

    assert lines_of(first) == [0]
    assert lines_of(third)[0] == lines_of(second)[0] + 1
    assert loop.time() - began == pytest.approx(2 * INTERVAL_SECONDS)
    await page.aclose()
    await feed.aclose()


async def test_one_poller_serves_all_pages():
    """Ten pages cost as many polls as one."""
    lines = Lines()
    feed = feed_of(lines)
    pages = [feed.frames() for _ in range(10)]
    for page in pages:
        await anext(page)
        await anext(page)
    before = lines.calls

    await asyncio.sleep(4.5 * INTERVAL_SECONDS)

    assert lines.calls - before == 4
    for page in pages:
        await page.aclose()
    await feed.aclose()


async def test_without_pages_nothing_is_polled():
    """A console that no page listens to costs its gateway nothing."""
    lines = Lines()
    feed = feed_of(lines)
    page = feed.frames()
    await anext(page)
    await anext(page)
    await page.aclose()
    await asyncio.sleep(INTERVAL_SECONDS)
    before = lines.calls

    await asyncio.sleep(3600)

    assert (feed.pages, lines.calls) == (0, before)


@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["at once", "after a while"])
async def test_a_slow_page_loses_messages_and_gets_all_again(seconds):
    """Its queue is bounded; after an overflow it starts afresh, when all is collected."""
    feed = feed_of(Lines(seconds))
    page = feed.frames()
    await anext(page)
    await anext(page)

    await asyncio.sleep((MAX_WAITING + 1.5) * INTERVAL_SECONDS)
    waiting = [lines_of(await anext(page)) for _ in range(2)]

    assert waiting[0] == [0]
    assert waiting[1][0] > MAX_WAITING
    await page.aclose()
    await feed.aclose()


async def test_a_quiet_page_gets_a_heartbeat():
    """Nothing is sent while nothing changes, but for a comment now and then."""
    lines = Lines()
    lines.is_quiet = True
    feed, loop = feed_of(lines), asyncio.get_running_loop()
    page = feed.frames()
    await anext(page)
    began = loop.time()

    frame = await anext(page)

    assert frame == b":\n\n"
    assert loop.time() - began == pytest.approx(15.0)
    await page.aclose()
    await feed.aclose()


async def test_a_page_whose_session_ended_gets_no_more():
    """A signed-out browser loses its stream with the next message."""
    admitted = [True]
    feed = feed_of(Lines())
    page = feed.frames(lambda: admitted[0])
    await anext(page)
    await anext(page)

    admitted[0] = False

    with pytest.raises(StopAsyncIteration):
        await anext(page)
    await feed.aclose()


async def test_closing_ends_all_streams_at_once():
    """A gateway that stops does not wait for pages."""
    feed, loop = feed_of(Lines()), asyncio.get_running_loop()
    page = feed.frames()
    await anext(page)
    await anext(page)
    began = loop.time()

    await feed.aclose()

    with pytest.raises(StopAsyncIteration):
        await anext(page)
    assert loop.time() == began


async def test_too_many_pages_are_refused():
    """The number of streams is bounded; a page that closes makes room."""
    feed = feed_of(Lines())
    pages = [feed.frames() for _ in range(MAX_PAGES)]
    for page in pages:
        await anext(page)

    with pytest.raises(ConsoleProblem, match="Too many pages"):
        feed.frames()
    await pages.pop().aclose()
    page = feed.frames()

    assert await anext(page) == b"retry: 1000\n\n"
    for one in [*pages, page]:
        await one.aclose()
    await feed.aclose()


async def test_pages_that_open_at_once_are_bounded():
    """Those beyond the limit end at once, and their browsers come again later."""
    feed = feed_of(Lines())
    pages = [feed.frames() for _ in range(MAX_PAGES + 5)]

    first = [await anext(page) for page in pages]

    assert first == [b"retry: 1000\n\n"] * MAX_PAGES + [b"retry: 5000\n\n"] * 5
    assert feed.pages == MAX_PAGES
    for one in pages:
        await one.aclose()
    await feed.aclose()


async def test_a_contributor_that_fails_does_not_end_the_others(caplog):
    """The error is logged once; the other news arrives."""

    async def broken(_: Live, __: bool) -> None:
        raise LookupError("an error of ours")

    async def stopped(_: Live, __: bool) -> None:
        raise ConsoleProblem(503, "web does not answer", "Start it.")

    feed = feed_of(broken, stopped, Lines())
    page = feed.frames()
    frames = [await anext(page) for _ in range(4)]

    assert lines_of(frames[-1])[0] > 0
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    await page.aclose()
    await feed.aclose()
