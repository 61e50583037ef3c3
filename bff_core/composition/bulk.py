"""`@bulk`: changes the items of a batch, a few at a time, each with its own result."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import isinf
from types import MethodType
from typing import Any, Generic, Self, TypeVar, overload

from bff_core.composition.composition import Composition
from bff_core.composition.failure_policy import with_reserve
from bff_core.composition.part_status import reason_of
from bff_core.errors import (
    BFFError,
    ClientError,
    CompositionError,
    ConfigurationError,
    InvalidInput,
)
from bff_core.events import PartEnded
from bff_core.keywords import check_async, checks_keywords
from bff_core.policy.edge.idempotency import is_final_answer
from bff_core.scope import running_part, writing_as

C = TypeVar("C", bound=Composition)
T = TypeVar("T")
V = TypeVar("V")


class NotAttempted(CompositionError):
    """The batch timed out before this item was attempted: nothing was changed."""

    status = 503
    code = "not_attempted"
    title = "Not attempted"
    retry_after = 1.0

    def __init__(self, item: str) -> None:
        super().__init__(f"item {item!r} was not attempted")


class ItemTimedOut(CompositionError):
    """The batch timed out while this item was running: it may have been changed."""

    status = 504
    code = "timeout"
    title = "Timed out"

    def __init__(self, item: str) -> None:
        super().__init__(f"item {item!r} ran out of time")


class DuplicateItem(ClientError):
    """An earlier item has the same key; only the first is attempted."""

    status = 409
    code = "duplicate_item"
    title = "Duplicate item"


@dataclass(frozen=True, slots=True)
class ItemResult(Generic[V]):
    """The result of one item: its `value`, or an `error`."""

    index: int
    key: str
    value: V | None = None
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        """Whether the change was made."""
        return self.error is None

    @property
    def is_undecided(self) -> bool:
        """Whether the item may have been changed, or may be changed by a retry."""
        error = self.error
        return error is not None and not is_final_answer(
            error.status if isinstance(error, BFFError) else 500
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """The declared options of a batch."""

    key: Callable[[Any], Hashable] | None
    most: int
    concurrent: int


class BulkMethod(Generic[T, V]):
    """A method of a composition that changes one item, called with a sequence of items."""

    def __init__(
        self, body: Callable[[Any, T], Coroutine[object, object, V]], bounds: Bounds
    ) -> None:
        check_async(body, "bulk")
        self.name = body.__name__
        self.body = body
        self.bounds = bounds
        self.__doc__ = body.__doc__

    @overload
    def __get__(self, composition: None, owner: type[Composition]) -> Self: ...
    @overload
    def __get__(
        self, composition: Composition, owner: type[Composition] | None = None
    ) -> Callable[[Sequence[T]], Coroutine[object, object, list[ItemResult[V]]]]: ...
    def __get__(
        self, composition: Composition | None, owner: type[Composition] | None = None
    ) -> Self | Callable[[Sequence[T]], Coroutine[object, object, list[ItemResult[V]]]]:
        if composition is None:
            return self
        return MethodType(self._run, composition)

    def _run(
        self, composition: Composition, items: Sequence[T]
    ) -> Coroutine[object, object, list[ItemResult[V]]]:
        """Change the items; raise `InvalidInput` for too many."""
        if len(items) > self.bounds.most:
            raise InvalidInput(f"At most {self.bounds.most} items are taken at once.")
        return _Batch(self, composition, items).run()


class _Batch(Generic[T, V]):
    """One call of a bulk method: a few items run at a time, and end in any order."""

    def __init__(
        self, method: BulkMethod[T, V], composition: Composition, items: Sequence[T]
    ) -> None:
        self._method = method
        self._composition = composition
        self._items = items
        self._keys = [self._key_of(index, item) for index, item in enumerate(items)]
        self._results: dict[int, ItemResult[V]] = {}
        self._turns = self._unique()

    async def run(self) -> list[ItemResult[V]]:
        """Return the results in the order of the items, always before the deadline."""
        registry = self._composition.part_registry
        loop, bounds = registry.run.loop, self._method.bounds
        count = min(bounds.concurrent, len(self._items))
        workers = [loop.create_task(self._work()) for _ in range(count)]
        try:
            if workers:
                await asyncio.wait(workers, timeout=self._left())
        finally:
            for worker in workers:
                worker.cancel()
            if workers:
                await asyncio.wait(workers)
        results = [self._ended(index) for index in range(len(self._items))]
        scope = registry.scope
        if scope is not None and not scope.outcome and any(one.is_undecided for one in results):
            scope.outcome = "unknown"
        return results

    def _key_of(self, index: int, item: T) -> str:
        key = self._method.bounds.key
        return str(index) if key is None else str(key(item))

    def _unique(self) -> Iterator[int]:
        """Yield the indexes of the items to attempt: of several with one key the first."""
        first: dict[str, int] = {}
        for index, key in enumerate(self._keys):
            if key in first:
                error = DuplicateItem(f"Item {first[key]} is about {key!r}, too.")
                self._results[index] = ItemResult(index, key, error=error)
            else:
                first[key] = index
                yield index

    def _left(self) -> float | None:
        """Return how many seconds the batch may take; None for no limit."""
        run, part = self._composition.part_registry.run, running_part.get()
        deadline = run.deadline if part is None else min(run.deadline, part.deadline)
        if isinf(deadline):
            return None
        now = run.clock()
        return max(0.0, with_reserve(deadline, now) - now)

    async def _work(self) -> None:
        for index in self._turns:
            await self._change(index)

    async def _change(self, index: int) -> None:
        key = self._keys[index]
        try:
            # A write name per item, so that its idempotency keys depend on no other item.
            with writing_as(f"{self._method.name}:{key}"):
                value = await self._method.body(self._composition, self._items[index])
        except asyncio.CancelledError:
            self._fail(index, ItemTimedOut(key))
            raise
        except Exception as error:  # noqa: BLE001 - the failure of one item stops no other
            self._fail(index, error)
        else:
            self._results[index] = ItemResult(index, key, value)

    def _fail(self, index: int, error: Exception) -> None:
        result: ItemResult[V] = ItemResult(index, self._keys[index], error=error)
        self._results[index] = result
        run = self._composition.part_registry.run
        if result.is_undecided and run.events.sinks:
            name, reason = self._method.name, reason_of(error)
            run.events.emit(PartEnded(run.title, name, "failed", reason, error))

    def _ended(self, index: int) -> ItemResult[V]:
        result = self._results.get(index)
        if result is None:
            key = self._keys[index]
            result = ItemResult(index, key, error=NotAttempted(key))
        return result


@checks_keywords
def bulk(
    *, key: Callable[[Any], Hashable] | None = None, most: int = 100, concurrent: int = 8
) -> Callable[[Callable[[C, T], Coroutine[object, object, V]]], BulkMethod[T, V]]:
    """Declare a method that changes one item; called with a sequence, it changes them all.

    It returns an `ItemResult` per item, in their order: the failure of one item stops no other.
    At most `concurrent` items run at a time, and more than `most` raise `InvalidInput`. `key`
    returns the key of an item; without it the index is the key. Of several items with one key only
    the first is attempted. The batch ends a little before the request does: items that have not
    begun are reported as not attempted, those that are running as timed out.
    """
    if most < 1 or concurrent < 1:
        raise ConfigurationError("bulk: most and concurrent must be at least 1")
    bounds = Bounds(key, most, concurrent)

    def declare(body: Callable[[C, T], Coroutine[object, object, V]]) -> BulkMethod[T, V]:
        return BulkMethod(body, bounds)

    return declare
