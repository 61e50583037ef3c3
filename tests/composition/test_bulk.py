"""Bulk writes: a few items at a time, results in order, always before the deadline."""

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
    """Return the value of each item, or the type of its error."""
    return [one.value if one.is_done else type(one.error) for one in results]


async def test_results_have_the_order_of_the_items():
    """Whichever item ends first, the results have the order of the request."""
    screen, _, _ = desk()

    results = await screen.change([Change("a", 0.3), Change("b", 0.1), Change("c", 0.2)])

    assert ends(results) == ["a changed", "b changed", "c changed"]
    assert [(one.index, one.key) for one in results] == [(0, "a"), (1, "b"), (2, "c")]


async def test_a_failed_item_does_not_stop_the_others():
    """The other items are changed, and each has its own result."""
    screen, log, _ = desk()

    results = await screen.change([Change("a"), Change("b", fails=NotFound("no b")), Change("c")])

    assert ends(results) == ["a changed", NotFound, "c changed"]
    assert log.begun == ["a", "b", "c"]


async def test_items_run_concurrently_up_to_the_limit():
    """A large batch does not flood the service."""
    screen, log, _ = desk()
    began = asyncio.get_running_loop().time()

    await screen.change([Change(str(number), 0.5) for number in range(12)])
    took = asyncio.get_running_loop().time() - began

    assert log.most == 4
    assert took == pytest.approx(1.5)


async def test_items_without_time_left_are_not_attempted():
    """Just before the deadline items are done, timed out or not attempted; none goes on running."""
    screen, log, scope = desk(timeout=2)
    began = asyncio.get_running_loop().time()
    wanted = [Change("quick")] + [Change(str(number), 5) for number in range(6)]

    results = await screen.change(wanted)
    took = asyncio.get_running_loop().time() - began

    assert ends(results) == ["quick changed", *[ItemTimedOut] * 4, *[NotAttempted] * 2]
    assert took == pytest.approx(1.9)
    assert (sorted(log.cancelled), log.now) == (["0", "1", "2", "3"], 0)
    assert scope.outcome == "unknown"


async def test_a_duplicate_item_is_attempted_once():
    """Two attempts would race; the error of the second item names the first."""
    screen, log, scope = desk()

    results = await screen.change([Change("a"), Change("b"), Change("a")])

    assert ends(results) == ["a changed", "b changed", DuplicateItem]
    assert "Item 0" in str(results[2].error)
    assert (log.begun, scope.outcome) == (["a", "b"], "")


async def test_too_many_items_are_refused_before_any_is_attempted():
    """The limit is checked before the first item is changed."""
    screen, log, _ = desk()

    with pytest.raises(InvalidInput, match="50"):
        await screen.change([Change(str(number)) for number in range(51)])

    assert log.begun == []


async def test_an_empty_batch_has_an_empty_result():
    """No item is attempted."""
    screen, _, _ = desk()

    assert await screen.change([]) == []


async def test_without_a_key_each_item_is_attempted():
    """Two equal items are two changes; their keys are their positions."""
    screen, _, _ = desk()

    results = await screen.count([1, 1, 1])

    assert [(one.key, one.value) for one in results] == [("0", 2), ("1", 2), ("2", 2)]


async def test_idempotency_keys_of_an_item_depend_on_no_other_item():
    """They are the same whenever the item is retried, in whichever batch."""
    screen, log, _ = desk()

    await screen.change([Change("a"), Change("b")])

    assert log.names == ["change:a", "change:b"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(NotFound("no a"), ""), (Overloaded("not now"), "unknown"), (KeyError("a bug"), "unknown")],
)
async def test_a_batch_with_undecided_items_may_be_retried(error, outcome):
    """A refused item is decided; one that failed otherwise may succeed in a retry."""
    screen, _, scope = desk()

    await screen.change([Change("a", fails=error), Change("b")])

    assert scope.outcome == outcome


async def test_a_failed_item_emits_an_event():
    """A refused item is the client's mistake and emits none; a bug emits one."""
    heard: list[AnyEvent] = []
    screen, _, _ = desk(heard=heard)
    bug = KeyError("a bug")

    await screen.change([Change("a", fails=bug), Change("b", fails=NotFound("no b"))])

    assert heard == [PartEnded("Desk", "change", "failed", "error", bug)]


async def test_a_cancelled_request_cancels_its_batch():
    """No item goes on running, and none begins."""
    screen, log, _ = desk()
    task = asyncio.create_task(screen.change([Change(str(number), 5) for number in range(9)]))
    await asyncio.sleep(1)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert (len(log.begun), len(log.cancelled), log.now) == (4, 4, 0)


def test_wrong_bulk_options_are_refused_when_declared():
    """The error says what to change."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        bulk(most=0)
    with pytest.raises(ConfigurationError, match="async def"):

        @bulk()
        def change(self, item: int) -> int:
            return item
