"""Threads for blocking calls that may hang and can't be interrupted, such as DNS lookups."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPerJob(Executor):
    """An executor that runs each job in a new daemon thread; its users limit the number of jobs.

    A job that hangs does not block other jobs, as in a shared pool, nor the exit of the process.
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
