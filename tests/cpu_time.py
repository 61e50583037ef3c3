"""CPU time in tests: of the fastest of three tries, as a quiet machine would take it."""

import gc
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

TRIES: Final = 3

YARDSTICK: Final = "[" + "[]," * 80_000 + "1]"
QUIET: Final = 0.005
"""Seconds that Python's own parser takes for `YARDSTICK` where nothing else runs."""


def slowness() -> float:
    """Return how many times slower this machine is just now than a quiet one; at least 1."""
    began = time.process_time()
    json.loads(YARDSTICK)
    return max(1.0, (time.process_time() - began) / QUIET)


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep the collector out, whose work grows with all that other tests have imported."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cpu_seconds(act: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    tries = []
    for _ in range(TRIES):
        with without_collections():
            factor = slowness()
            began = time.process_time()
            act()
            tries.append((time.process_time() - began) / factor)
    return min(tries)


async def cpu_seconds_of(act: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU time of one awaited call, and of all that its event loop does meanwhile."""
    tries = []
    for _ in range(TRIES):
        with without_collections():
            factor = slowness()
            began = time.process_time()
            await act()
            tries.append((time.process_time() - began) / factor)
    return min(tries)
