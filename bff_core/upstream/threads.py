"""Threads for calls that may hang in the C library and can't be interrupted."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OwnThread(Executor):
    """Runs each job in a thread of its own, for jobs that are few and bounded by their caller.

    A job that hangs blocks neither other jobs, as in a shared pool, nor the exit of the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start the job at once."""
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()

        def work() -> None:
            try:
                outcome.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - the future raises it
                outcome.set_exception(error)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return outcome
