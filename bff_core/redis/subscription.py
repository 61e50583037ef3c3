"""Subscribes to one channel of Redis, and tracks until when it has received everything."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final, NoReturn

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as ReadTimeout

from bff_core.clock import Chance, Clock
from bff_core.compat.redis import AbstractConnection

HEARTBEAT_SECONDS: Final = 0.1
"""The time between two heartbeats."""

SILENCE_SECONDS: Final = 2.0
"""The time without an answer after which a subscription reconnects."""

RECONNECT_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""The longest pauses between attempts to reconnect; the shortest are half of that."""


class RedisSubscription:
    """Receives one channel on a connection of its own, and reconnects when that is lost.

    Redis delivers messages in order, once. Everything published before Redis answered a heartbeat
    arrives before that answer, so `received_until` is when the last answered heartbeat was sent. It
    is minus infinity while there is no connection. `gap` is called when a connection is made and
    when it is lost: messages in between are missed.
    """

    def __init__(
        self,
        connect: Callable[[str], Awaitable[AbstractConnection]],
        channel: str,
        gap: Callable[[], None],
        report: Callable[[BaseException], None],
        *,
        heartbeat: Sequence[str],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.received_until = -inf
        self._connect = connect
        self._channel = channel
        self._gap = gap
        self._report = report
        self._heartbeat = heartbeat
        self._clock = clock
        self._chance = chance
        self._unanswered: deque[float] = deque()

    async def run(self, receive: Callable[[bytes], None]) -> None:
        """Pass each message to `receive` until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    connection = await self._connect(self._channel)
                try:
                    await self._open(connection)
                    failures = 0
                    await self._listen(connection, receive)
                finally:
                    self._close()
                    await connection.disconnect(nowait=True)
            except (TimeoutError, OSError, RedisError) as error:
                self._report(error)
                pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures += 1
            await asyncio.sleep(pause * (1 + self._chance()) / 2)

    async def _open(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(SILENCE_SECONDS):
            await connection.connect()  # type: ignore[no-untyped-call]  # it is not typed
            await connection.send_command("SUBSCRIBE", self._channel)
            await connection.read_response(push_request=True)
        self._unanswered.clear()
        self._gap()
        self.received_until = self._clock()

    def _close(self) -> None:
        if self.received_until > -inf:
            self.received_until = -inf
            self._gap()

    async def _listen(
        self, connection: AbstractConnection, receive: Callable[[bytes], None]
    ) -> NoReturn:
        unanswered = self._unanswered
        due_at = self._clock()
        while True:
            now = self._clock()
            if now >= due_at:
                unanswered.append(now)
                due_at = now + HEARTBEAT_SECONDS
                await connection.send_command(*self._heartbeat)
            if unanswered and now - unanswered[0] > SILENCE_SECONDS:
                raise TimeoutError
            try:
                message = await connection.read_response(
                    timeout=max(due_at - now, 0.001), disconnect_on_error=False, push_request=True
                )
            except ReadTimeout:
                continue
            self._take(message, receive)

    def _take(self, message: object, receive: Callable[[bytes], None]) -> None:
        match message:
            case b"PONG" | int():
                self.received_until = self._unanswered.popleft()
            case [b"message", _, bytes(text)]:
                receive(text)
