"""Bulk changes: a few at a time, results in order, and always before the deadline."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bff_core.composition.bulk import DuplicateItem, ItemResult, ItemTimedOut, NotAttempted, bulk
from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.run_context import RunContext
from bff_core.errors import ConfigurationError, InvalidInput, NotFound, Overloaded
from bff_core.events import AnyEvent, Events, PartEnded
from bff_core.scope import Scope, writing

pytestmark = pytest.mark.virtual_time


@dataclass(frozen=True)
class Change:
    """One item: its change takes a while, and may fail."""

    key: str
    takes: float = 0.0
    fails: Exception | None = None


@dataclass
class Log:
    """A log of the items that were changed."""

    begun: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    most: int = 0
    now: int = 0


class Desk(Composition):
    """A screen that changes things."""

    log: Log

    @bulk(key=lambda change: change.key, most=50, concurrent=4)
    async def change(self, wanted: Change) -> str:
        """Change one thing."""
        self.log.begun.append(wanted.key)
        self.log.names.append(writing.get())
        self.log.now += 1
        self.log.most = max(self.log.most, self.log.now)
        try:
            await asyncio.sleep(wanted.takes)
        except asyncio.CancelledError:
            self.log.cancelled.append(wanted.key)
            raise
        finally:
            self.log.now -= 1
        if wanted.fails is not None:
            raise wanted.fails
        return f"{wanted.key} changed"

    @bulk(concurrent=2)
    async def count(self, number: int) -> int:
        """Count one thing."""
        return number + 1


def desk(timeout: float = 10.0, *, heard: list[AnyEvent] | None = None) -> tuple[Desk, Log, Scope]:
    """Return a screen of a request that has `timeout` seconds."""
    loop, log = asyncio.get_running_loop(), Log()
    scope = Scope(loop.time() + timeout)
    one = Desk(log=log)
    events = Events(heard.append) if heard is not None else Events()
    part_registry = PartRegistry(RunContext("Desk", loop, loop.time, events, scope.deadline), scope)
    one.enter(part_registry)
    return one, log, scope


def ends(results: list[ItemResult[str]]) -> list[object]:
    """Return what each item came to: its value, or the kind of its error."""
    return [one.value if one.is_done else type(one.error) for one in results]


async def test_every_item_is_told_in_the_order_it_was_sent():
    """Results have the order of the items, whichever ends first."""
    screen, _, _ = desk()

    results = await screen.change([Change("a", 0.3), Change("b", 0.1), Change("c", 0.2)])

    assert ends(results) == ["a changed", "b changed", "c changed"]
    assert [(one.index, one.key) for one in results] == [(0, "a"), (1, "b"), (2, "c")]


async def test_a_failure_is_its_items_and_stops_no_other():
    """The others are changed, and each has its own result."""
    screen, log, _ = desk()

    results = await screen.change([Change("a"), Change("b", fails=NotFound("no b")), Change("c")])

    assert ends(results) == ["a changed", NotFound, "c changed"]
    assert log.begun == ["a", "b", "c"]


async def test_no_more_than_so_many_are_under_way():
    """A batch is no burst."""
    screen, log, _ = desk()
    began = asyncio.get_running_loop().time()

    await screen.change([Change(str(number), 0.5) for number in range(12)])
    took = asyncio.get_running_loop().time() - began

    assert log.most == 4
    assert took == pytest.approx(1.5)


async def test_what_there_was_no_time_for_is_told_as_not_attempted():
    """Just before the deadline: done, timed out, not attempted; nothing runs on."""
    screen, log, scope = desk(timeout=2)
    began = asyncio.get_running_loop().time()
    wanted = [Change("quick")] + [Change(str(number), 5) for number in range(6)]

    results = await screen.change(wanted)
    took = asyncio.get_running_loop().time() - began

    assert ends(results) == ["quick changed", *[ItemTimedOut] * 4, *[NotAttempted] * 2]
    assert took == pytest.approx(1.9)
    assert (sorted(log.cancelled), log.now) == (["0", "1", "2", "3"], 0)
    assert scope.outcome == "unknown"


async def test_an_item_that_comes_twice_is_attempted_once():
    """Which of the two wins would be a race; the second item's error names the first."""
    screen, log, scope = desk()

    results = await screen.change([Change("a"), Change("b"), Change("a")])

    assert ends(results) == ["a changed", "b changed", DuplicateItem]
    assert "Item 0" in str(results[2].error)
    assert (log.begun, scope.outcome) == (["a", "b"], "")


async def test_too_many_items_are_refused_before_the_first():
    """A bound that is found out halfway is none."""
    screen, log, _ = desk()

    with pytest.raises(InvalidInput, match="50"):
        await screen.change([Change(str(number)) for number in range(51)])

    assert log.begun == []


async def test_no_items_are_no_work():
    """An empty batch has an empty answer."""
    screen, _, _ = desk()

    assert await screen.change([]) == []


async def test_without_a_key_every_item_counts():
    """Two equal items are two changes, named by their number."""
    screen, _, _ = desk()

    results = await screen.count([1, 1, 1])

    assert [(one.key, one.value) for one in results] == [("0", 2), ("1", 2), ("2", 2)]


async def test_every_item_writes_under_a_name_of_its_own():
    """So that its keys for the services are the same whenever and beside whatever it is tried."""
    screen, log, _ = desk()

    await screen.change([Change("a"), Change("b")])

    assert log.names == ["change:a", "change:b"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(NotFound("no a"), ""), (Overloaded("not now"), "unknown"), (KeyError("a bug"), "unknown")],
)
async def test_a_batch_that_may_end_otherwise_is_not_final(error, outcome):
    """A refusal is a decision; what broke may be tried again."""
    screen, _, scope = desk()

    await screen.change([Change("a", fails=error), Change("b")])

    assert scope.outcome == outcome


async def test_what_broke_is_an_event():
    """A refusal is the client's affair, a bug is ours."""
    heard: list[AnyEvent] = []
    screen, _, _ = desk(heard=heard)
    bug = KeyError("a bug")

    await screen.change([Change("a", fails=bug), Change("b", fails=NotFound("no b"))])

    assert heard == [PartEnded("Desk", "change", "failed", "error", bug)]


async def test_who_leaves_takes_the_batch_along():
    """A cancelled request has no item under way, and none begins."""
    screen, log, _ = desk()
    task = asyncio.create_task(screen.change([Change(str(number), 5) for number in range(9)]))
    await asyncio.sleep(1)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert (len(log.begun), len(log.cancelled), log.now) == (4, 4, 0)


def test_a_bulk_that_can_not_work_is_refused_when_declared():
    """The error says what to change."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        bulk(most=0)
    with pytest.raises(ConfigurationError, match="async def"):

        @bulk()
        def change(self, item: int) -> int:
            return item
