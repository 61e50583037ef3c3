"""The totals of processes that ended: files beside their sockets, so that counters never decrease.

Each process stores its totals before it returns them to a scrape, and when it ends. The parent of
the workers adds the file of a worker that ended to one for all of them, and there counts those that
ended unexpectedly. So whatever Prometheus has read of a process stays in the sum when another one
replaces it, also after a crash.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from bff_core.observe.metrics.samples import Totals, added_totals

SUFFIX: Final = ".totals"
ENDED: Final = "ended.totals"

WORKERS_ENDED: Final = "bff_workers_ended_total"

MAX_REMEMBERED: Final = 32
"""How many of the processes that were added last are named, so that none is counted twice."""


class EndedTotals(msgspec.Struct):
    """The sum of the totals of processes that ended, and the names of the last ones' files."""

    totals: Totals
    names: list[str] = []


_totals = msgspec.json.Decoder(Totals)
_ended = msgspec.json.Decoder(EndedTotals)


def store_totals(folder: Path, totals: Totals) -> None:
    """Store the totals of this process."""
    _write(folder / f"{os.getpid()}{SUFFIX}", msgspec.json.encode(totals))


def add_ended(folder: Path, pid: int) -> None:
    """Add the totals of a process that has ended to those of the others; its parent calls this."""
    path = folder / f"{pid}{SUFFIX}"
    try:
        totals = _totals.decode(path.read_bytes())
    except (OSError, ValueError):
        return  # it has not counted anything
    with suppress(OSError):  # without room for the file the worker is replaced all the same
        _add(folder, totals, [path.name])
        path.unlink(missing_ok=True)


def count_workers_ended(folder: Path, count: int) -> None:
    """Count workers that ended unexpectedly; their parent calls this, first with 0."""
    with suppress(OSError):
        _add(folder, Totals({WORKERS_ENDED: [((), count)]}), [])


def ended_totals(folder: Path, running: Collection[int]) -> list[Totals]:
    """Return the totals of the processes of a folder that have ended, or else do not answer."""
    alive = {f"{pid}{SUFFIX}" for pid in running}
    found: dict[str, Totals] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name in alive or path.name == ENDED:
            continue
        try:
            found[path.name] = _totals.decode(path.read_bytes())
        except (OSError, ValueError):
            continue  # the parent has just added it to the others
    # Read last: a file that was added meanwhile is then in it, by its name.
    known = _read_ended(folder)
    return [known.totals, *(one for name, one in found.items() if name not in known.names)]


def _add(folder: Path, totals: Totals, names: list[str]) -> None:
    known = _read_ended(folder)
    whole = EndedTotals(
        added_totals([known.totals, totals]), [*known.names, *names][-MAX_REMEMBERED:]
    )
    _write(folder / ENDED, msgspec.json.encode(whole))


def _read_ended(folder: Path) -> EndedTotals:
    try:
        return _ended.decode((folder / ENDED).read_bytes())
    except (OSError, ValueError):
        return EndedTotals(Totals())


def _write(path: Path, content: bytes) -> None:
    """Replace a file, so that a reader finds the old content or the new one."""
    temporary = path.with_suffix(f".{os.getpid()}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
