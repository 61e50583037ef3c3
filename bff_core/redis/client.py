"""Redis as state that gateways share: every command ends in time, whatever Redis does."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from typing import Final, NoReturn
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry as Retries
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as ReadTimeout
from redis.maint_notifications import MaintNotificationsConfig

from bff_core.clock import Chance, Clock
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events
from bff_core.policy.upstream.breaker import Breaker, Circuit
from bff_core.redis.interface import Value
from bff_core.redis.reports import StoreReports, reason_of
from bff_core.timeouts import bounded

TIMEOUT: Final = 0.05
"""Seconds: what a request may lose by a Redis that does not answer."""

STREAK: Final = 5
"""After how many failures on end commands are refused at once."""

CONNECTIONS: Final = 16
"""How many connections a link opens at most; further commands wait for one, in time.

Redis works one command at a time: more connections are no quicker, and a burst that has to open
all of them at once is slower than its timeout.
"""

BEAT: Final = 0.1
"""Seconds between two questions of a subscription whether Redis is still there."""

SILENCE: Final = 2.0
"""Seconds without an answer, after which a subscription connects anew."""

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two tries to connect a subscription, at most; half of that at least."""

_REFUSALS: Final = (AuthenticationError, BusyLoadingError, ResponseError)
"""What Redis itself answers instead of a result."""


class RedisClient:
    """A client of one Redis (or Valkey), for a whole process.

    Each command ends within `timeout` seconds, connecting included. After five failures on end, or
    when half of the last seconds' commands failed, the link refuses at once, and probes now and
    then until Redis is back; of commands that were under way together one speaks for all, so that
    a hiccup is one failure.

    Whatever goes wrong is `StoreUnavailable`, also what Redis refuses (NOPERM, READONLY, MISCONF,
    OOM, WRONGTYPE …): callers do without the store, and the reason is logged. A refusal of one
    command does not stop the others.
    """

    def __init__(
        self, url: str, *, clock: Clock, chance: Chance, events: Events, timeout: float = TIMEOUT
    ) -> None:
        self.name = name_of(url)
        self.timeout = timeout
        self._clock = clock
        self._chance = chance
        self._reports = StoreReports(self.name, events=events, clock=clock)
        self._circuit = Circuit(
            Breaker(minimum_calls=5, window=5.0, open_for=0.5, open_for_max=2.0, probes=1), chance
        )
        self._streak = 0
        self._judged_at = {True: 0.0, False: 0.0}
        self._scripts: dict[str, str] = {}
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=None,  # `_bounded` ends a command, however much it waits and reads
                socket_timeout=None,
                socket_connect_timeout=None,
                retry=Retries(NoBackoff(), 0),
                client_name="bff",
                # Three commands fewer for a new connection, and one that has unread answers left
                # is not used again.
                driver_info=None,
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
                protocol=3,
            )
        except ValueError as error:
            raise ConfigurationError(f"{name_of(url)} is no Redis URL: {error}") from error
        self._client = Redis.from_pool(pool)
        self._client.response_callbacks.clear()  # answers as Redis gives them

    def __repr__(self) -> str:
        return f"redis      {self.name}, {self._circuit.state}"

    @property
    def is_down(self) -> bool:
        """Whether commands are refused now."""
        return self._circuit.is_refusing(self._clock())

    async def run(self, *command: Value, within: float | None = None) -> object:
        """Send one command and return what Redis answers, text as bytes.

        Raises `StoreUnavailable` when there is no answer within that many seconds.
        """
        return await self._bounded(command, self.timeout if within is None else within)

    async def script(
        self,
        source: str,
        keys: Sequence[str | bytes],
        args: Sequence[Value] = (),
        *,
        within: float | None = None,
    ) -> object:
        """Run a Lua script atomically and return its result; Redis keeps it from then on."""
        digest = self._scripts.get(source)
        if digest is None:
            # The name that Redis gives a script; nothing is kept secret by it.
            digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
            self._scripts[source] = digest
        rest = (len(keys), *keys, *args)
        try:
            return await self.run("EVALSHA", digest, *rest, within=within)
        except NoScriptError:
            return await self.run("EVAL", source, *rest, within=within)

    def subscribe(self, channel: str, *, gap: Callable[[], None]) -> "RedisSubscription":
        """Return what hears a channel on a connection of its own, once it is run."""
        return RedisSubscription(
            self._client.connection_pool.make_connection,
            channel,
            gap,
            self._report,
            clock=self._clock,
            chance=self._chance,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _bounded(self, command: Sequence[Value], within: float) -> object:
        circuit, now = self._circuit, self._clock()
        period = circuit.admit(now)
        if period is None:
            raise StoreUnavailable(self.name, "is not answering", circuit.retry_after(now))
        try:
            async with bounded(within):
                answer: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # it is not typed
        except NoScriptError:
            self._take(period, now, is_good=True)
            raise
        except (TimeoutError, OSError, RedisError) as error:
            is_refusal = isinstance(error, ResponseError) and not _serves_nothing(error)
            self._take(period, now, is_good=is_refusal, reason=reason_of(error))
            self._report(error)
            raise StoreUnavailable(self.name, reason_of(error)) from error
        except asyncio.CancelledError:
            circuit.forget(period)
            raise
        self._take(period, now, is_good=True)
        return answer

    def _take(self, period: int, began: float, *, is_good: bool, reason: str = "") -> None:
        if is_good:
            self._streak = 0
        is_probe = self._circuit.state != "closed"
        if began < self._judged_at[is_good] and not is_probe:
            return
        now = self._judged_at[is_good] = self._clock()
        if is_good:
            self._circuit.succeed(period, now, 0.0)
        else:
            self._streak += 1
            self._circuit.fail(period, now)
            # A share of the calls says little for long after many that were answered.
            if self._streak >= STREAK:
                self._circuit.open(period, now)
        self._reports.state(is_away=self._circuit.state != "closed", reason=reason)

    def _report(self, error: BaseException) -> None:
        if isinstance(error, _REFUSALS):
            self._reports.refusal(reason_of(error))


class RedisSubscription:
    """One channel, heard on a connection of its own, which is made anew when it is lost.

    Redis publishes in order and repeats nothing. What was published before it answered a PING has
    arrived before that answer, so `heard_until` is when the last PING that was answered was sent.
    It is minus infinity while there is no connection. `gap` is called when there is one again, and
    when it is lost: what was published in between is not heard.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractConnection],
        channel: str,
        gap: Callable[[], None],
        report: Callable[[BaseException], None],
        *,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.heard_until = -inf
        self._connect = connect
        self._channel = channel
        self._gap = gap
        self._report = report
        self._clock = clock
        self._chance = chance
        self._asked: deque[float] = deque()

    async def run(self, hear: Callable[[bytes], None]) -> None:
        """Hand on each message until cancelled."""
        failures = 0
        while True:
            connection = self._connect()
            try:
                await self._open(connection)
                failures = 0
                await self._listen(connection, hear)
            except (TimeoutError, OSError, RedisError) as error:
                self._report(error)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
            finally:
                self._close()
                await connection.disconnect(nowait=True)
            await asyncio.sleep(pause * (1 + self._chance()) / 2)

    async def _open(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(SILENCE):
            await connection.connect()  # type: ignore[no-untyped-call]  # it is not typed
            await connection.send_command("SUBSCRIBE", self._channel)
            await connection.read_response(push_request=True)
        self._asked.clear()
        self._gap()
        self.heard_until = self._clock()

    def _close(self) -> None:
        if self.heard_until > -inf:
            self.heard_until = -inf
            self._gap()

    async def _listen(
        self, connection: AbstractConnection, hear: Callable[[bytes], None]
    ) -> NoReturn:
        asked = self._asked
        beat = self._clock()
        while True:
            now = self._clock()
            if now >= beat:
                asked.append(now)
                beat = now + BEAT
                await connection.send_command("PING")
            if asked and now - asked[0] > SILENCE:
                raise TimeoutError
            try:
                told = await connection.read_response(
                    timeout=max(beat - now, 0.001), disconnect_on_error=False, push_request=True
                )
            except ReadTimeout:
                continue
            self._take(told, hear)

    def _take(self, told: object, hear: Callable[[bytes], None]) -> None:
        match told:
            case b"PONG":
                self.heard_until = self._asked.popleft()
            case [b"message", _, bytes(message)]:
                hear(message)


def name_of(url: str) -> str:
    """Return how a URL appears in logs and errors: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _serves_nothing(error: ResponseError) -> bool:
    """Whether Redis refuses every command now, not only this one: in a script, in a failover."""
    return isinstance(error, ClusterDownError) or str(error).startswith("BUSY ")
