"""Reloads the policies of a gateway on SIGHUP."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bff_core.errors import ConfigurationError
from bff_core.events import ReloadSkipped
from bff_core.gateway.app import Gateway


def ignore_hangups() -> None:
    """Ignore SIGHUP in this process, whose default would end it before and after it serves."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def reload_on_hangup(gateway: Gateway, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Reload the policies of a gateway at each SIGHUP, while the context is open.

    Without a policy file the signal is logged, since by default it would end the process; but a
    handler of the application stays in place.
    """
    before = signal.getsignal(signal.SIGHUP)
    has_file = bool(gateway.settings.policies)
    if not has_file and before not in {signal.SIG_DFL, signal.SIG_IGN}:
        yield
        return
    loop.add_signal_handler(signal.SIGHUP, _reload if has_file else _skip, gateway)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


def _reload(gateway: Gateway) -> None:
    with suppress(ConfigurationError):  # it is logged as `policies_refused`
        gateway.reload_policies()


def _skip(gateway: Gateway) -> None:
    if gateway.events.sinks:
        gateway.events.emit(ReloadSkipped("BFF_POLICIES is not set: nothing to reload"))
