"""Runs the asynchronous work of a verb."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_event_loop(work: Callable[P, Coroutine[object, object, T]]) -> Callable[P, T]:
    """Return a plain function that runs an asynchronous one in an event loop of its own."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(work(*args, **kwargs))

    return run
