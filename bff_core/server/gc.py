"""Tunes Python's cyclic garbage collector for a process that only serves a gateway."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bff_core.settings.model import Settings


@contextmanager
def tuned_collector(settings: Settings) -> Iterator[None]:
    """Freeze existing objects and collect less often, while the context is open.

    The collector belongs to the whole process, so only our own server calls this. Requests create
    no reference cycles, so fewer collections are harmless. `BFF_GC_FREEZE=false` and
    `BFF_GC_THRESHOLD=0` leave the collector unchanged.
    """
    before = gc.get_threshold()
    if settings.gc_threshold:
        gc.set_threshold(settings.gc_threshold, *before[1:])
    if settings.gc_freeze:
        gc.collect()
        gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if settings.gc_freeze:
            gc.unfreeze()
