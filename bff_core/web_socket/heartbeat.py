"""Pings to a silent peer: one timer, and no work for each message."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class PingedPeer(Protocol):
    """The connection that a heartbeat watches."""

    def is_listening(self) -> bool:
        """Whether its bytes are read now; it can't answer while they are not."""
        ...

    def unsent(self) -> int:
        """How many bytes wait until the peer reads."""
        ...

    def ping(self) -> None:
        """Send a ping."""
        ...


class Heartbeat:
    """Pings a peer that was silent for `ping` seconds; calls `lost` if it leaves that unanswered.

    It has `timeout` seconds to answer. Nothing happens if `ping` is None.
    Whatever the peer sends is an answer, and so is that it reads what waits for it: its pong may
    queue behind a long message. Set `is_heard` when bytes arrive. The time in which the peer is not
    listened to does not count.
    """

    __slots__ = (
        "_is_pinged",
        "_loop",
        "_lost",
        "_peer",
        "_ping",
        "_timeout",
        "_timer",
        "_unsent",
        "is_heard",
    )

    def __init__(
        self,
        peer: PingedPeer,
        ping: float | None,
        timeout: float | None,
        lost: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._peer = peer
        self._ping = ping
        self._timeout = ping if timeout is None else timeout
        self._lost = lost
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._is_pinged = False
        self._unsent = 0
        self.is_heard = False

    def start(self) -> None:
        """Begin to watch."""
        self._wait(self._ping)

    def stop(self) -> None:
        """End the watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float | None) -> None:
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        unsent = self._peer.unsent()
        has_read = unsent < self._unsent
        self._unsent = unsent
        if self.is_heard or has_read or not self._peer.is_listening():
            self.is_heard = self._is_pinged = False
            self._wait(self._ping)
        elif self._is_pinged:
            self._timer = None
            self._lost()
        else:
            self._is_pinged = True
            self._peer.ping()
            self._unsent = self._peer.unsent()
            self._wait(self._timeout)
