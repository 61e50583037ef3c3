"""Notices that files changed: a reload then needs no signal."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final

CHECK_SECONDS: Final = 1.0
"""How often the files are looked at. One that is being written is left alone until it rests."""

Stamp = tuple[int, int, int] | None
"""Inode, modification time and size of a file; None if there is none."""


async def watch(files: Sequence[str], on_change: Callable[[], None]) -> None:
    """Call `on_change` each time the files have changed and then rested for `CHECK_SECONDS`.

    Links are followed, so a mounted ConfigMap of Kubernetes counts as changed when its link is.
    """
    known = before = _stamps(files)
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        now = _stamps(files)
        if now == before and now != known:
            known = now
            on_change()
        before = now


def _stamps(files: Sequence[str]) -> list[Stamp]:
    return [_stamp(file) for file in files]


def _stamp(file: str) -> Stamp:
    try:
        found = os.stat(file)  # noqa: PTH116 # a Path for each look costs more
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
