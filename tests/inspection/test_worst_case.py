"""How long a request takes at most, by the timeouts of parts and calls."""

from math import isinf

import pytest

from bff_core import (
    Bulkhead,
    Composition,
    Policy,
    Retry,
    Upstream,
    critical,
    gather,
    loader,
    optional,
)
from bff_core.inspection.reader import steps_of_function
from bff_core.inspection.worst_case import attempts_limit, call_limit, worst_case


class Fast(Upstream):
    """Answers in a second, or not at all."""

    policy = Policy(timeout=1.0)

    async def one(self) -> str:
        """Return one."""
        return await self.get("/one", str)


class Slow(Upstream):
    """May take four seconds."""

    policy = Policy(timeout=4.0)

    async def one(self) -> str:
        """Return one."""
        return await self.get("/one", str)

    async def rows(self) -> object:
        """Stream rows."""
        return [one async for one in self.ndjson("/rows", str)]


class Page(Composition):
    """Fast and slow parts."""

    fast: Fast
    slow: Slow

    @critical
    async def base(self) -> str:
        """Take a second."""
        return await self.fast.one()

    @optional(timeout=0.4)
    async def short(self) -> str:
        """Call slowly, but give up early."""
        return await self.slow.one()

    @optional
    async def long(self) -> str:
        """Wait for the base, then call slowly."""
        return await self.base() + await self.slow.one()

    @optional(timeout=9.0)
    async def twice(self) -> str:
        """Call twice, one after the other."""
        return await self.fast.one() + await self.fast.one()

    @loader(fallback=None, timeout=0.3)
    async def item(self, keys: tuple[str, ...]) -> dict[str, str]:
        """Load many."""
        return dict.fromkeys(keys, await self.slow.one())

    @critical
    async def endless(self) -> object:
        """Read a stream."""
        return await self.slow.rows()


async def in_order(page: Page) -> None:
    """Wait for one part after the other."""
    await page.base()
    await page.short()


async def at_once(page: Page) -> None:
    """Wait for both at the same time."""
    await gather(page.base(), page.short())


async def shared(page: Page) -> None:
    """Wait for a part that waits for one that runs already."""
    await gather(page.base(), page.long())


async def known(page: Page) -> None:
    """Wait twice for one part: the second time takes no time."""
    await page.base()
    await page.base()


async def started(page: Page) -> None:
    """Start a part before another is awaited."""
    waiting = page.twice()
    await page.base()
    await waiting


async def batches(page: Page) -> None:
    """Load twice, one after the other."""
    await page.item("a")
    await page.item("b")


async def either(page: Page) -> None:
    """Take one branch, of which the longer one counts."""
    if await page.base():
        await page.short()
    else:
        await page.twice()


async def started_maybe(page: Page) -> None:
    """Start a part in one branch, and await it in any case, later."""
    if page.fast:
        page.base()
    await page.twice()
    await page.base()


async def loop(page: Page) -> None:
    """Call as often as there are items."""
    for _ in await page.base():
        await page.fast.one()


async def stream(page: Page) -> None:
    """Read a stream to its end."""
    await page.endless()


@pytest.mark.parametrize(
    ("view", "path"),
    [
        (in_order, [("base", 1.0), ("short", 0.4)]),
        (at_once, [("base", 1.0)]),
        (shared, [("long", 5.0)]),
        (known, [("base", 1.0)]),
        (started, [("twice", 2.0)]),
        (batches, [("item", 0.3), ("item", 0.3)]),
        (either, [("base", 1.0), ("twice", 2.0)]),
        (started_maybe, [("twice", 2.0), ("base", 1.0)]),
    ],
)
def test_the_longest_chain_of_waits_is_the_worst_case(view, path):
    """Parts at the same time count once, parts in order add up, timeouts of parts limit both."""
    moment = worst_case(steps_of_function(view), {}, 10.0)

    assert [*moment.path] == path
    assert moment.seconds == pytest.approx(sum(seconds for _, seconds in path))


@pytest.mark.parametrize(("view", "cause"), [(loop, "a loop"), (stream, "endless")])
def test_what_has_no_end_is_limited_by_the_request(view, cause):
    """A loop of calls has no timeout of its own, nor has a critical part that reads a stream."""
    moment = worst_case(steps_of_function(view), {}, 10.0)

    name, seconds = moment.path[-1]
    assert name == cause
    assert isinf(seconds) or seconds == 10.0


def test_a_policy_file_changes_the_worst_case():
    """The policy in effect counts, not that of the code."""
    policies = {Fast: Policy(timeout=0.2)}

    assert worst_case(steps_of_function(known), policies, 10.0).seconds == pytest.approx(0.2)


def test_a_request_ends_its_parts():
    """Nothing takes longer than the request."""
    assert worst_case(steps_of_function(shared), {}, 2.0).seconds <= 2.0


@pytest.mark.parametrize(
    ("policy", "attempts", "limit"),
    [
        (
            Policy(timeout=10.0, attempt_timeout=2.0, retry=Retry(attempts=3, backoff=0.1)),
            6.3,
            10.0,
        ),
        (Policy(timeout=1.0, attempt_timeout=2.0), 1.0, 1.0),
        (Policy(timeout=10.0, attempt_timeout=2.0, retry=None), 2.0, 10.0),
        (Policy(timeout=10.0, attempt_timeout=2.0, retry=None, bulkhead=None), 2.0, 2.0),
        (
            Policy(timeout=9.0, attempt_timeout=2.0, retry=None, bulkhead=Bulkhead(queue=0)),
            2.0,
            2.0,
        ),
    ],
)
def test_a_call_may_wait_beyond_its_attempts(policy, attempts, limit):
    """Attempts and pauses add up; a queue or a Retry-After may take the rest of the timeout."""
    assert attempts_limit(policy) == pytest.approx(attempts)
    assert call_limit(policy) == limit
