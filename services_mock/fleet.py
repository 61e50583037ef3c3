"""Runs all services, one process each: all start or none, all stop together."""

import contextlib
import logging
import multiprocessing
import signal
import socket
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from services_mock.server import STOPPERS, Place, serve

log = logging.getLogger("services_mock")

GRACE = 4.0
"""Seconds that services have to stop before they are killed."""

LOOK = 0.2
"""Seconds between checks of the signal flag."""


class Fleet:
    """The processes of all services, until one ends or a signal arrives."""

    def __init__(self, places: Sequence[Place], *, access_log: bool = False) -> None:
        self._places = places
        self._access_log = access_log
        self._is_stopping = False
        self._processes: list[BaseProcess] = []

    def run(self) -> int:
        """Serve until stopped; return the exit status. Raises `PortTaken`."""
        listeners = self._bind()
        for number in STOPPERS:
            signal.signal(number, self._stop)
        # Signals are blocked until the child handles them.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPERS)
        self._start(listeners)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPERS)
        ended = self._watch()
        self._end()
        if self._is_stopping:
            return 0
        log.error("%s ended by itself; the others were stopped", ", ".join(ended))
        return 1

    def _bind(self) -> list[socket.socket]:
        with contextlib.ExitStack() as opened:
            listeners = [opened.enter_context(place.bind()) for place in self._places]
            opened.pop_all()
        return listeners

    def _start(self, listeners: Sequence[socket.socket]) -> None:
        # Forked children share what is imported already: nine of them are up as fast as one.
        context = multiprocessing.get_context("fork")
        for place, listener in zip(self._places, listeners, strict=True):
            options = {"access_log": self._access_log}
            process = context.Process(
                target=_serve, args=(place, listeners, listener), kwargs=options, name=place.name
            )
            process.start()
            self._processes.append(process)
        for listener in listeners:
            listener.close()

    def _watch(self) -> list[str]:
        """Wait for a signal or for the end of a process; return the ended ones."""
        names = {process.sentinel: process.name for process in self._processes}
        ended: Sequence[object] = ()
        while not self._is_stopping and not ended:
            ended = wait(list(names), timeout=LOOK)
        return [name for sentinel, name in names.items() if sentinel in ended]

    def _end(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(GRACE)
            if process.is_alive():
                process.kill()
                process.join()

    def _stop(self, _number: int, _frame: object) -> None:
        self._is_stopping = True


def _serve(
    place: Place, listeners: Sequence[socket.socket], mine: socket.socket, *, access_log: bool
) -> None:
    """Close all inherited sockets but one."""
    for listener in listeners:
        if listener is not mine:
            listener.close()
    serve(place, mine, access_log=access_log)
