"""Subscribes to one channel of Redis, and knows until when it has received everything."""

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
"""Seconds between two heartbeats of a subscription."""

SILENCE: Final = 2.0
"""Seconds without an answer, after which a subscription connects anew."""

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two attempts to connect a subscription, at most; half of that at least."""


class RedisSubscription:
    """One channel on a connection of its own, which is replaced when it is lost.

    Redis publishes in order and repeats nothing. What was published before it answered a heartbeat
    has arrived before that answer, so `heard_until` is when the last answered heartbeat was sent.
    It is minus infinity while there is no connection. `gap` is called when a connection is made,
    and when it is lost: what was published in between has not arrived.
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
        self.heard_until = -inf
        self._connect = connect
        self._channel = channel
        self._gap = gap
        self._report = report
        self._heartbeat = heartbeat
        self._clock = clock
        self._chance = chance
        self._unanswered: deque[float] = deque()

    async def run(self, hear: Callable[[bytes], None]) -> None:
        """Hand on each message until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    connection = await self._connect(self._channel)
                try:
                    await self._open(connection)
                    failures = 0
                    await self._listen(connection, hear)
                finally:
                    self._close()
                    await connection.disconnect(nowait=True)
            except (TimeoutError, OSError, RedisError) as error:
                self._report(error)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
            await asyncio.sleep(pause * (1 + self._chance()) / 2)

    async def _open(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(SILENCE):
            await connection.connect()  # type: ignore[no-untyped-call]  # it is not typed
            await connection.send_command("SUBSCRIBE", self._channel)
            await connection.read_response(push_request=True)
        self._unanswered.clear()
        self._gap()
        self.heard_until = self._clock()

    def _close(self) -> None:
        if self.heard_until > -inf:
            self.heard_until = -inf
            self._gap()

    async def _listen(
        self, connection: AbstractConnection, hear: Callable[[bytes], None]
    ) -> NoReturn:
        unanswered = self._unanswered
        due_at = self._clock()
        while True:
            now = self._clock()
            if now >= due_at:
                unanswered.append(now)
                due_at = now + HEARTBEAT_SECONDS
                await connection.send_command(*self._heartbeat)
            if unanswered and now - unanswered[0] > SILENCE:
                raise TimeoutError
            try:
                message = await connection.read_response(
                    timeout=max(due_at - now, 0.001), disconnect_on_error=False, push_request=True
                )
            except ReadTimeout:
                continue
            self._take(message, hear)

    def _take(self, message: object, hear: Callable[[bytes], None]) -> None:
        match message:
            case b"PONG" | int():
                self.heard_until = self._unanswered.popleft()
            case [b"message", _, bytes(text)]:
                hear(text)
