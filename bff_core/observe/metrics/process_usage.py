"""What a process uses: CPU time, memory, open files, the garbage collector."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

Row = tuple[tuple[str, ...], float]

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if sys.platform != "win32" else 0


def process_counters() -> dict[str, Sequence[Row]]:
    """Return the CPU time in seconds, and the runs of the garbage collector by generation."""
    used = os.times()
    return {
        "bff_process_cpu_seconds_total": [((), used.user + used.system)],
        "bff_gc_collections_total": [
            ((str(generation),), float(one["collections"]))
            for generation, one in enumerate(gc.get_stats())
        ],
    }


def process_gauges() -> dict[str, Sequence[Row]]:
    """Return resident memory in bytes and open files; what a platform does not have is left out."""
    found: dict[str, Sequence[Row]] = {}
    if sys.platform == "win32":
        return found
    import resource  # noqa: PLC0415 # not on Windows

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY:
        found["bff_process_files_limit"] = [((), float(limit))]
    with suppress(OSError, IndexError, ValueError):  # Linux only
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 # a third of the time
            pages = int(file.read().split()[1])
        found["bff_process_memory_bytes"] = [((), float(pages * _PAGE_BYTES))]
        found["bff_process_files_open"] = [((), float(_open_files()))]
    return found


def _open_files() -> int:
    """Return how many files are open: the size of a folder on Linux 6.2, a list before."""
    counted = os.stat("/proc/self/fd").st_size  # noqa: PTH116 # a third of the time
    return counted or len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 # the same
