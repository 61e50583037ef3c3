"""Redis as state that gateways share: every command ends in time, whatever Redis does."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry as Retries
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.maint_notifications import MaintNotificationsConfig

from bff_core.clock import Chance, Clock
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events, StoreChanged
from bff_core.link import Value
from bff_core.policy.breaker import Breaker, Circuit

TIMEOUT: Final = 0.05
"""Seconds: what a request may lose by a Redis that does not answer."""

STREAK: Final = 5
"""After how many failures on end commands are refused at once."""

CONNECTIONS: Final = 16
"""How many connections a link opens at most; further commands wait for one, in time.

Redis works one command at a time: more connections are no quicker, and a burst that has to open
all of them at once is slower than its timeout.
"""

_UNABLE: Final = (ClusterDownError, OutOfMemoryError, ReadOnlyError)


class RedisLink:
    """A client of one Redis (or Valkey), for a whole process.

    Each command ends within `timeout` seconds, connecting included. After five failures on end, or
    when half of the last seconds' commands failed, the link refuses at once, and probes now and
    then until Redis is back; of commands that were under way together one speaks for all, so that
    a hiccup is one failure. Whatever goes wrong is `StoreUnavailable`, but for commands that Redis
    understood and refused: those are bugs and raise redis-py's `ResponseError`.
    """

    def __init__(
        self, url: str, *, clock: Clock, chance: Chance, events: Events, timeout: float = TIMEOUT
    ) -> None:
        self.name = name_of(url)
        self.timeout = timeout
        self._clock = clock
        self._events = events
        self._circuit = Circuit(
            Breaker(minimum_calls=5, window=5.0, open_for=0.5, open_for_max=2.0, probes=1), chance
        )
        self._is_away = False
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

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _bounded(self, command: Sequence[Value], within: float) -> object:
        circuit, now = self._circuit, self._clock()
        period = circuit.admit(now)
        if period is None:
            raise StoreUnavailable(self.name, "is not answering", circuit.retry_after(now))
        try:
            async with asyncio.timeout(within):
                answer: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # it is not typed
        except ResponseError as error:
            self._take(period, now, is_good=not _is_unable(error))
            if _is_unable(error):
                raise StoreUnavailable(self.name, str(error)) from error
            raise
        except (TimeoutError, OSError, RedisError) as error:
            self._take(period, now, is_good=False)
            raise StoreUnavailable(self.name, type(error).__name__) from error
        except asyncio.CancelledError:
            circuit.forget(period)
            raise
        self._take(period, now, is_good=True)
        return answer

    def _take(self, period: int, began: float, *, is_good: bool) -> None:
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
        self._tell()

    def _tell(self) -> None:
        """Say once that Redis is away, not at each probe, and once that it is back."""
        is_away = self._circuit.state != "closed"
        if is_away == self._is_away:
            return
        self._is_away = is_away
        if self._events.sinks:
            self._events.emit(StoreChanged(self.name, "open" if is_away else "closed"))


def name_of(url: str) -> str:
    """Return how a URL appears in logs and errors: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _is_unable(error: ResponseError) -> bool:
    """Whether Redis is in no state to serve: out of memory, read-only, in a script, a failover."""
    return isinstance(error, _UNABLE) or str(error).startswith("BUSY ")
