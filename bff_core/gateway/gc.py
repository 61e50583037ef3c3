"""Keeps the cyclic collector of the interpreter off the path of requests."""

import gc
from collections.abc import Callable

from bff_core.settings.model import Settings


def tune_collector(settings: Settings) -> Callable[[], None]:
    """Keep the cyclic collector off what lives for ever; return what undoes it.

    What exists when the gateway is ready is frozen, and collections come more seldom. Requests
    leave no cycles behind, so little is lost; `BFF_GC_FREEZE=false` and `BFF_GC_THRESHOLD=0`
    leave the collector alone.
    """
    before = gc.get_threshold()
    if settings.gc_threshold:
        gc.set_threshold(settings.gc_threshold, *before[1:])
    if settings.gc_freeze:
        gc.collect()
        gc.freeze()

    def undo() -> None:
        gc.set_threshold(*before)
        if settings.gc_freeze:
            gc.unfreeze()

    return undo
