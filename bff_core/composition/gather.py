"""`gather`: awaits several parts at once, and raises as soon as one fails."""

import asyncio
from collections.abc import Awaitable
from contextlib import ExitStack
from typing import TypeVar, overload

from bff_core.composition.part import Part, part_observer
from bff_core.scope import running_part

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")
T7 = TypeVar("T7")
T8 = TypeVar("T8")

Slot = Part[object] | asyncio.Future[object]


@overload
async def gather(a1: Awaitable[T1], a2: Awaitable[T2], /) -> tuple[T1, T2]: ...


@overload
async def gather(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], /
) -> tuple[T1, T2, T3]: ...


@overload
async def gather(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], a4: Awaitable[T4], /
) -> tuple[T1, T2, T3, T4]: ...


@overload
async def gather(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], a4: Awaitable[T4], a5: Awaitable[T5], /
) -> tuple[T1, T2, T3, T4, T5]: ...


@overload
async def gather(
    a1: Awaitable[T1],
    a2: Awaitable[T2],
    a3: Awaitable[T3],
    a4: Awaitable[T4],
    a5: Awaitable[T5],
    a6: Awaitable[T6],
    /,
) -> tuple[T1, T2, T3, T4, T5, T6]: ...


@overload
async def gather(
    a1: Awaitable[T1],
    a2: Awaitable[T2],
    a3: Awaitable[T3],
    a4: Awaitable[T4],
    a5: Awaitable[T5],
    a6: Awaitable[T6],
    a7: Awaitable[T7],
    /,
) -> tuple[T1, T2, T3, T4, T5, T6, T7]: ...


@overload
async def gather(
    a1: Awaitable[T1],
    a2: Awaitable[T2],
    a3: Awaitable[T3],
    a4: Awaitable[T4],
    a5: Awaitable[T5],
    a6: Awaitable[T6],
    a7: Awaitable[T7],
    a8: Awaitable[T8],
    /,
) -> tuple[T1, T2, T3, T4, T5, T6, T7, T8]: ...


@overload
async def gather(*awaitables: Awaitable[T]) -> tuple[T, ...]: ...
async def gather(*awaitables: Awaitable[object]) -> tuple[object, ...]:
    """Await all and return their results in order; raise the first failure as soon as it happens.

    After a failure parts continue, since others may await them; other awaitables are cancelled.
    """
    slots: list[Slot] = [
        one if isinstance(one, Part) else asyncio.ensure_future(one) for one in awaitables
    ]
    caller = running_part.get()
    try:
        if isinstance(caller, Part):
            await _wait_within(caller, slots)
        else:
            await _wait(slots)
            _report_use(slots)
        # Only another slot's failure leaves a slot undone, and that failure is raised here.
        return tuple([slot.result() for slot in slots if slot.done()])
    finally:
        for slot in slots:
            if isinstance(slot, asyncio.Future):
                slot.cancel()


async def _wait_within(caller: Part[object], slots: list[Slot]) -> None:
    """Wait as part `caller`; raise `CompositionCycle` if a slot waits for it."""
    with ExitStack() as waiting:
        for slot in slots:
            if isinstance(slot, Part):
                waiting.enter_context(slot.awaited_by(caller))
        await _wait(slots)
    for slot in slots:
        if isinstance(slot, Part) and slot.is_done:
            slot.mark_used()


async def _wait(slots: list[Slot]) -> None:
    pending = [slot for slot in slots if not slot.done()]
    if len(pending) < len(slots) and any(_has_failed(slot) for slot in slots):
        return
    if pending:
        countdown = Countdown(len(pending), pending[0].get_loop().create_future())
        for slot in pending:
            slot.add_done_callback(countdown.ended)
        await countdown.woken


class Countdown:
    """Wakes the waiter when all slots have ended, or one has failed."""

    __slots__ = ("_left", "woken")

    def __init__(self, count: int, woken: asyncio.Future[None]) -> None:
        self._left = count
        self.woken = woken

    def ended(self, slot: Slot) -> None:
        """Count the end of one slot."""
        self._left -= 1
        # Retrieved in any case, else asyncio logs further failures as "never retrieved".
        has_failed = _has_failed(slot)
        if not self.woken.done() and (self._left == 0 or has_failed):
            self.woken.set_result(None)


def _has_failed(slot: Slot) -> bool:
    return slot.done() and (slot.cancelled() or slot.exception() is not None)


def _report_use(slots: list[Slot]) -> None:
    if part_observer.get() is not None:
        for slot in slots:
            if isinstance(slot, Part) and slot.is_done:
                slot.report_use()
