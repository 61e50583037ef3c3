"""One verb at a time changes the files of a project."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from bff_core.cli.project import find_project

if sys.platform != "win32":
    import fcntl

P = ParamSpec("P")
T = TypeVar("T")


def one_at_a_time(verb: Callable[P, T]) -> Callable[P, T]:
    """Let a verb wait until no other one is at work in the project of its argument `start`."""
    signature = inspect.signature(verb)

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        start = signature.bind(*args, **kwargs).arguments.get("start")
        with _locked(find_project(start).root):
            return verb(*args, **kwargs)

    return run


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; on file systems without locks there is none."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
