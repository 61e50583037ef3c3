"""Values of slow sources: fetched once for all callers, early, and used during outages."""

import asyncio

import pytest

from bff_core.background import Background
from bff_core.errors import ProviderUnavailable
from bff_core.events import AnyEvent, Crashed, Events
from bff_core.refreshed_value import Fetched, Refreshed
from bff_core.scope import running_part

pytestmark = pytest.mark.virtual_time

REFRESH, WAIT, EXPIRES = 10.0, 20.0, 100.0
PAUSE, INTERVAL = 3.0, 5.0


class Source:
    """A source of numbers that takes `delay` seconds, and is down while it `is_down`."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.error: Exception | None = None
        self.started: list[float] = []
        self.parts: list[object] = []
        self.running = self.most_at_once = 0
        self.events: list[AnyEvent] = []
        self._clock = asyncio.get_running_loop().time
        self.background = Background(asyncio.get_running_loop(), Events(self.events.append))
        self.value = Refreshed(
            self._fetch,
            clock=self._clock,
            spawn=self.background.spawn,
            pause=PAUSE,
            interval=INTERVAL,
        )

    async def _fetch(self) -> Fetched[int]:
        self.started.append(self._clock())
        self.parts.append(running_part.get())
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error
        now = self._clock()
        return Fetched(len(self.started), now + REFRESH, now + WAIT, now + EXPIRES)

    def fail(self, error: Exception | None = None) -> None:
        """Fail from now on."""
        self.error = error or ProviderUnavailable("down")


async def waited(source: Source) -> tuple[int | None, float]:
    """Return the value that a caller gets, and for how many seconds it waits."""
    clock = asyncio.get_running_loop().time
    began = clock()
    return await source.value.get(), clock() - began


async def test_callers_that_come_at_once_share_one_fetch():
    """A hundred simultaneous callers cause one fetch."""
    source = Source(delay=1)

    values = await asyncio.gather(*(source.value.get() for _ in range(100)))

    assert (set(values), len(source.started)) == ({1}, 1)


@pytest.mark.parametrize("leaving", [0, 3])
async def test_a_caller_that_leaves_does_not_cancel_the_fetch(leaving):
    """Even the caller that started it may be cancelled."""
    source = Source(delay=1)
    callers = [asyncio.create_task(source.value.get()) for _ in range(5)]
    await asyncio.sleep(0.5)

    callers[leaving].cancel()
    ends = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(ends.pop(leaving), asyncio.CancelledError)
    assert (ends, len(source.started)) == ([1] * 4, 1)


async def test_a_fetch_belongs_to_no_part():
    """The deadline of the part that starts a fetch does not end it for the others."""
    source, loop = Source(), asyncio.get_running_loop()
    source.value = Refreshed(source._fetch, clock=loop.time, spawn=loop.create_task)
    reset = running_part.set(object())
    await source.value.get()
    running_part.reset(reset)

    assert source.parts == [None]


async def test_a_value_in_use_is_refreshed_in_the_background():
    """Callers get the old value meanwhile, and never wait."""
    source = Source(delay=1)
    await source.value.get()
    await asyncio.sleep(REFRESH + 0.1)

    during = await waited(source)
    await asyncio.sleep(1.1)
    after = await waited(source)

    assert (during, after) == ((1, 0), (2, 0))


async def test_callers_wait_for_a_value_that_was_not_used_for_long():
    """The old value may be wrong by now."""
    source = Source(delay=1)
    await source.value.get()
    await asyncio.sleep(WAIT)

    assert await waited(source) == (2, 1)


async def test_the_last_value_is_used_while_the_source_is_down():
    """Until it expires; one caller waits for the failure, the others do not."""
    source = Source(delay=1)
    await source.value.get()
    source.fail()
    await asyncio.sleep(WAIT)

    found = []
    for _ in range(75):
        found.append(await waited(source))
        await asyncio.sleep(1)

    assert found[0] == (1, 1)
    assert set(found[1:]) == {(1, 0)}


async def test_an_expired_value_is_not_used():
    """Callers wait for another value, and get none while the source is down."""
    source = Source(delay=1)
    await source.value.get()
    source.fail()
    await asyncio.sleep(EXPIRES)

    found = await waited(source)

    assert found == (None, 1)
    assert source.value.current is None
    assert isinstance(source.value.failure, ProviderUnavailable)


async def test_after_a_failure_the_source_has_a_pause():
    """A hundred callers in ten seconds cause a fetch every three seconds; others fail at once."""
    source = Source()
    source.fail()

    for _ in range(100):
        await source.value.get()
        await asyncio.sleep(0.1)

    gaps = [after - before for before, after in zip(source.started, source.started[1:])]  # noqa: B905
    assert len(source.started) == 4
    assert min(gaps) >= PAUSE


async def test_a_source_that_is_back_is_used_after_the_pause():
    """The failure is forgotten with the first value."""
    source = Source()
    source.fail()
    await source.value.get()
    source.error = None
    await asyncio.sleep(PAUSE)

    assert (await source.value.get(), source.value.failure) == (2, None)


async def test_callers_wait_for_a_fetch_even_if_an_early_one_failed():
    """The source was down for a moment; it is called again when callers have to wait."""
    source = Source()
    await source.value.get()
    source.fail()
    await asyncio.sleep(WAIT - 1)
    await source.value.get()
    await asyncio.sleep(0.5)
    source.error = None
    await asyncio.sleep(0.6)

    assert await source.value.get() == 3


async def test_the_first_caller_after_a_quiet_outage_waits():
    """The source may have recovered meanwhile."""
    source = Source(delay=1)
    await source.value.get()
    source.fail()
    await asyncio.sleep(WAIT)
    await source.value.get()
    source.error = None
    await asyncio.sleep(2 * PAUSE + 0.1)

    assert await waited(source) == (3, 1)


async def test_a_refresh_fetches_a_fresh_value_again_but_seldom():
    """Any client can cause a refresh, with a token that names an unknown key."""
    source = Source()
    await source.value.get()

    for _ in range(100):
        await source.value.refresh()
        await asyncio.sleep(0.1)

    assert len(source.started) == 2
    await asyncio.sleep(INTERVAL)
    assert await source.value.refresh() == 3


async def test_a_refresh_waits_for_the_fetch_in_flight():
    """That fetch may bring the missing value."""
    source = Source(delay=1)
    first = asyncio.create_task(source.value.get())
    await asyncio.sleep(0.5)

    assert await source.value.refresh() == await first == 1


async def test_a_late_value_is_returned_to_its_waiting_callers():
    """It had expired when it arrived; the next caller gets another."""
    source = Source()

    async def late() -> Fetched[int]:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(1)
        return Fetched(7, now, now, now)

    source.value = Refreshed(
        late, clock=asyncio.get_running_loop().time, spawn=source.background.spawn
    )

    assert await source.value.get() == 7
    assert source.value.current is None


async def test_an_unexpected_error_is_reported_and_ends_the_wait():
    """A bug in a fetch is logged as a crash; its callers get no value."""
    source = Source()
    source.fail(ZeroDivisionError("bug"))

    assert await source.value.get() is None
    await asyncio.sleep(0)
    assert [type(event.error) for event in source.events if isinstance(event, Crashed)] == [
        ZeroDivisionError
    ]


async def test_closing_the_gateway_ends_the_wait():
    """The fetch is cancelled with the other tasks of the gateway; its callers get no value."""
    source = Source(delay=60)
    caller = asyncio.create_task(source.value.get())
    await asyncio.sleep(1)

    await source.background.aclose()

    assert await caller is None
    assert source.value.failure is None


async def test_closing_the_gateway_brings_no_expired_value_back():
    """A caller that waits for another does not get the old one."""
    source = Source()
    await source.value.get()
    source.delay = 60
    await asyncio.sleep(EXPIRES)
    caller = asyncio.create_task(source.value.get())
    await asyncio.sleep(1)

    await source.background.aclose()

    assert await caller is None


async def test_a_value_is_trusted_until_callers_wait_or_the_pause_ends():
    """What was derived from the value can be used until then without another call."""
    source = Source()
    clock = asyncio.get_running_loop().time
    await source.value.get()
    fresh = source.value.trusted_until - clock()
    source.fail()
    await asyncio.sleep(WAIT)
    await source.value.get()
    down = source.value.trusted_until - clock()

    assert (fresh, down) == (pytest.approx(WAIT), pytest.approx(PAUSE))


@pytest.mark.parametrize("pace", [0.3, 1.7, 4.0, 9.0, 13.0, 33.0])
@pytest.mark.parametrize("outage", [0, 15, 60, 150])
async def test_no_caller_gets_an_expired_value(pace, outage):
    """At any pace of calls: one fetch at a time, a pause after failures, no expired value."""
    source = Source(delay=0.5)
    clock = asyncio.get_running_loop().time
    start = clock()
    while (elapsed := clock() - start) < 300:
        source.error = ProviderUnavailable("down") if 40 <= elapsed < 40 + outage else None
        value = await source.value.get()
        if value is not None:
            assert clock() - source.started[value - 1] < EXPIRES + 1
            is_good = source.error is None and elapsed > 40 + outage + 2 * PAUSE + pace + 1
            if is_good or elapsed < 40:
                assert clock() - source.started[value - 1] <= WAIT + pace + 1
        else:
            assert 40 <= elapsed <= 40 + outage + PAUSE + 1
        await asyncio.sleep(pace)

    gaps = [after - before for before, after in zip(source.started, source.started[1:])]  # noqa: B905
    assert source.most_at_once == 1
    assert min(gaps) >= PAUSE
