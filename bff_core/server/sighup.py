"""Reloads the policies of a gateway on SIGHUP."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from bff_core.gateway.app import Gateway
from bff_core.server.reloading import Reloading


def ignore_hangups() -> None:
    """Ignore SIGHUP in this process, whose default would end it before and after it serves."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def reload_on_hangup(
    gateway: Gateway, reloading: Reloading, loop: asyncio.AbstractEventLoop
) -> Iterator[None]:
    """Reload the files of a gateway at each SIGHUP, while the context is open.

    Without such a file the signal is logged, since by default it would end the process; but a
    handler of the application stays in place.
    """
    before = signal.getsignal(signal.SIGHUP)
    if not gateway.reloaded_files and before not in {signal.SIG_DFL, signal.SIG_IGN}:
        yield
        return
    loop.add_signal_handler(signal.SIGHUP, reloading.request)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)
