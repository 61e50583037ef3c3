"""States of parts: how failed parts are reported, and the parts that they awaited."""

import asyncio

import pytest

from bff_core import ClientError, Composition, NotAllowed, PartFailed, critical, gather, optional
from bff_core.call import Reply
from bff_core.composition.composition import close
from bff_core.composition.part import part_observer
from bff_core.composition.part_status import state_of
from bff_core.http_exchange.part_headers import cache_headers_of, statuses_of
from bff_core.scope import running_part


class Screen(Composition):
    """Parts that depend on one that fails."""

    error: Exception

    @critical
    async def base(self) -> str:
        raise self.error

    @optional(fallback="?")
    async def shown(self) -> str:
        return await self.base()

    @optional
    async def empty(self) -> str | None:
        await self.shown()
        return None


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (TimeoutError(), "missing", "timeout"),
        (NotAllowed("not you"), "forbidden", "not_allowed"),
        (ClientError("not you", status=403, code="not_yours"), "forbidden", "not_yours"),
        (ClientError("was here", status=410), "missing", "not_found"),
    ],
)
async def test_failed_critical_part_is_not_reported_as_ok(error, state, reason):
    """If the answer is sent without it, a critical part that failed is missing."""
    async with Screen(error=error) as screen:
        with pytest.raises(PartFailed):
            await screen.base()

    assert screen.parts["base"].state == state
    assert screen.parts["base"].reason == reason
    assert [one.name for one in screen.degraded] == ["base"]


async def test_problems_of_awaited_parts_are_found():
    """A face can find out why a part yields nothing, down to the first cause."""
    async with Screen(error=TimeoutError()) as screen:
        part = screen.empty()
        await part

        assert (part.state, part.reason) == ("fallback", "dependency")
        behind = {name: (state, reason) for name, state, reason in part.problems_awaited()}
        assert behind == {
            name: (one.state, one.reason) for name, one in screen.parts.items() if name != "empty"
        }
        assert list(behind) == ["shown", "base"]


async def test_observer_gets_the_parts_that_are_awaited():
    """Code outside parts can be observed, whether it awaits parts one by one or gathers them."""
    observed = []
    async with Screen(error=TimeoutError()) as screen:
        token = part_observer.set(lambda part: observed.append(part.name))
        await gather(screen.shown(), screen.empty())
        await screen.shown()
        part_observer.reset(token)
        await screen.empty()

    assert observed == ["shown", "empty", "shown"]


async def test_age_of_a_part_is_that_of_its_oldest_run():
    """Two runs use stale replies: `Age` must not promise a fresher answer than the older one."""

    class Aged(Composition):
        @critical
        async def price(self, age: float) -> float:
            part = running_part.get()
            assert part is not None
            part.note_reply(Reply(200, source="stale", age=age))
            return age

    async with Aged() as screen:
        await gather(screen.price(3.0), screen.price(9.0), screen.price(5.0))

    assert screen.parts["price"].age == 9.0
    assert (b"age", b"9") in cache_headers_of(statuses_of([screen]))


async def test_cancelled_part_is_not_reported_as_ok():
    """The plan of a screen that was closed early shows which parts did not end."""

    class Slow(Composition):
        @critical
        async def begun(self) -> None:
            await asyncio.Event().wait()

        @critical
        async def never_begun(self) -> None:
            await self.begun()

    async with Slow() as screen:
        screen.begun()
        await asyncio.sleep(0)
        screen.never_begun()

    assert [(one.name, one.state, one.reason) for one in screen.degraded] == [
        ("begun", "missing", "part_cancelled"),
        ("never_begun", "missing", "part_cancelled"),
    ]


async def test_cancelled_close_leaves_no_part_running():
    """If the client disconnects while one screen is closed, the others are closed as well."""
    cleaning, ended = asyncio.Event(), []

    class Stubborn(Composition):
        name: str

        @critical
        async def part(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(self.name)
                await cleaning.wait()

    screens = [Stubborn(name="first"), Stubborn(name="second")]
    for screen in screens:
        screen.part()
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(close(screens))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    cleaning.set()

    assert closing.cancelled()
    assert ended == ["first", "second"]


async def test_plan_of_a_part_that_awaits_itself_ends():
    """A part may await itself with other arguments; it is drawn once per branch."""

    class Tree(Composition):
        @critical
        async def depth(self, level: int) -> int:
            return level and 1 + await self.depth(level - 1)

        @critical
        async def shown(self) -> int:
            return await self.depth(3)

    async with Tree() as screen:
        assert await screen.shown() == 3
        drawn = str(screen.plan()).splitlines()

    names = [line.replace("└─", "").split()[0] for line in drawn[1:]]
    assert names == ["shown", "depth"]


@pytest.mark.parametrize(
    ("status", "state"), [(403, "forbidden"), (404, "missing"), (410, "missing"), (409, "fallback")]
)
def test_forbidden_or_absent_part_is_no_fallback(status, state):
    """A fallback replaces a failed value, not one that is forbidden or does not exist."""
    assert state_of(ClientError("No.", status=status), has_fallback=True) == state
