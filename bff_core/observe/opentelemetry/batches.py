"""A daemon thread that works in intervals; it starts with the first work of a process."""

import logging
import os
import threading
from collections.abc import Callable


class Periodic:
    """Calls `work` every `seconds`, when it is woken, and when it is flushed, which ends it.

    The thread belongs to the process that starts it: after a fork the child starts its own.
    """

    def __init__(self, name: str, work: Callable[[], None], seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = max(seconds, 0.01)
        self._pid = 0
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._has_failed = False
        self.is_ending = False
        """Whether it was flushed."""

    def start(self) -> None:
        """Start the thread, unless it runs in this process."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self.is_ending = False
        self._due, self._lock = threading.Event(), threading.Lock()
        threading.Thread(target=self._run, args=(self._due,), name=self._name, daemon=True).start()

    def wake(self) -> None:
        """Work now."""
        self._due.set()

    def flush(self, seconds: float) -> bool:
        """End the thread and do its work; return False if that can't begin within `seconds`.

        A process that did no work has nothing to flush.
        """
        if self._pid != os.getpid():
            return True
        self._pid, self.is_ending = 0, True
        self._due.set()
        if not self._lock.acquire(timeout=seconds):
            return False
        try:
            self._try()
        finally:
            self._lock.release()
        return True

    def _run(self, due: threading.Event) -> None:
        while True:
            due.wait(self._seconds)
            due.clear()
            if self._due is not due or not self._pid:
                return
            with self._lock:
                self._try()

    def _try(self) -> None:
        try:
            self._work()
        except Exception as error:
            if not self._has_failed:  # the next ones are alike
                self._has_failed = True
                logging.getLogger("bff_core").exception("OpenTelemetry: %s", type(error).__name__)
