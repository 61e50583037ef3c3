"""The Redis client: every command has a timeout, and a circuit breaker skips a failing Redis."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    RedisError,
    ResponseError,
)

from bff_core.clock import Chance, Clock
from bff_core.compat.redis import AbstractConnection, MaintNotificationsConfig
from bff_core.compat.redis import Retry as Retries
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events
from bff_core.policy.upstream.breaker import Breaker, Circuit
from bff_core.redis.cluster import ClusterConnections
from bff_core.redis.interface import Value
from bff_core.redis.reports import StoreReports, reason_of
from bff_core.redis.subscription import RedisSubscription
from bff_core.timeouts import bounded

TIMEOUT_SECONDS: Final = 0.05
"""How long a request may wait for a Redis that does not answer."""

MAX_CONSECUTIVE_FAILURES: Final = 5
"""So many failures in a row open the circuit."""

MAX_CONNECTIONS: Final = 16
"""Connections of a client, at most; further commands wait for a free one.

Redis runs one command at a time, so more connections are no faster. A burst that has to open all of
them at once would exceed its timeout.
"""

CLUSTER: Final = "cluster"
"""The query parameter of a URL that names a node of a cluster."""

_REFUSALS: Final = (AuthenticationError, BusyLoadingError, ResponseError)
"""Errors that Redis itself answers."""


class RedisClient:
    """A process's client of one Redis (or Valkey) server or cluster.

    The URL of a cluster has `cluster=true`, as in `redis://node:6379?cluster=true`.

    Each command ends within `timeout` seconds, connecting included. The circuit opens after five
    failures in a row, or when half of the last seconds' commands failed. Commands then fail at
    once, except for probes, until Redis is back. Concurrent commands count as one, so that a short
    stall is one failure.

    Every failure raises `StoreUnavailable`, and so does every refusal by Redis (NOPERM, READONLY,
    MISCONF, OOM, WRONGTYPE …): callers continue without the store, and the reason is logged. A
    refused command does not count as a failure.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        chance: Chance,
        events: Events,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name_of(url)
        self.timeout = timeout
        self._clock = clock
        self._chance = chance
        self._reports = StoreReports(self.name, events=events, clock=clock)
        self._circuit = Circuit(
            Breaker(minimum_calls=5, window=5.0, open_for=0.5, open_for_max=2.0, probes=1), chance
        )
        self._consecutive_failures = 0
        self._counted_at = {True: 0.0, False: 0.0}
        self._scripts: dict[str, str] = {}
        try:
            self._is_cluster, address = _is_cluster(url)
            self._connections = _connections(address, is_cluster=self._is_cluster)
        except ValueError as error:
            raise ConfigurationError(f"{name_of(url)} is no valid Redis URL: {error}") from error

    def __repr__(self) -> str:
        return f"redis      {self.name}, {self._circuit.state}"

    @property
    def is_down(self) -> bool:
        """Whether the circuit is open."""
        return self._circuit.is_refusing(self._clock())

    def prefix(self, group: str) -> str:
        """Return the prefix of a group's keys; in a cluster they share one slot."""
        return f"bff:{{{group}}}:" if self._is_cluster else f"bff:{group}:"

    async def run(self, *command: Value, within: float | None = None) -> object:
        """Send one command and return its answer, with text as bytes.

        Raises `StoreUnavailable` if there is no answer `within` seconds.
        """
        return await self._execute(command, self.timeout if within is None else within)

    async def script(
        self,
        source: str,
        keys: Sequence[str | bytes],
        args: Sequence[Value] = (),
        *,
        within: float | None = None,
    ) -> object:
        """Run a Lua script atomically and return its result; Redis caches the script."""
        digest = self._scripts.get(source)
        if digest is None:
            # Redis names scripts by their SHA-1; it protects nothing.
            digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
            self._scripts[source] = digest
        rest = (len(keys), *keys, *args)
        try:
            return await self.run("EVALSHA", digest, *rest, within=within)
        except NoScriptError:
            return await self.run("EVAL", source, *rest, within=within)

    def subscribe(self, channel: str, *, gap: Callable[[], None]) -> "RedisSubscription":
        """Return a subscription with a connection of its own; it receives once it is run."""
        return RedisSubscription(
            self._connections.connection_to,
            channel,
            gap,
            self._report,
            heartbeat=self._connections.heartbeat(channel),
            clock=self._clock,
            chance=self._chance,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def _execute(self, command: Sequence[Value], within: float) -> object:
        circuit, now = self._circuit, self._clock()
        period = circuit.admit(now)
        if period is None:
            raise StoreUnavailable(self.name, "is not answering", circuit.retry_after(now))
        try:
            async with bounded(within):
                answer = await self._connections.execute(command)
        except NoScriptError:
            self._count(period, now, is_good=True)
            raise
        except (TimeoutError, OSError, RedisError) as error:
            is_refusal = isinstance(error, ResponseError) and not _refuses_everything(error)
            if not is_refusal:
                self._connections.rediscover()
            self._count(period, now, is_good=is_refusal, reason=reason_of(error))
            self._report(error)
            raise StoreUnavailable(self.name, reason_of(error)) from error
        except asyncio.CancelledError:
            circuit.forget(period)
            raise
        self._count(period, now, is_good=True)
        return answer

    def _count(self, period: int, began: float, *, is_good: bool, reason: str = "") -> None:
        if is_good:
            self._consecutive_failures = 0
        is_probe = self._circuit.state != "closed"
        if began < self._counted_at[is_good] and not is_probe:
            return
        now = self._counted_at[is_good] = self._clock()
        if is_good:
            self._circuit.succeed(period, now, 0.0)
        else:
            self._consecutive_failures += 1
            self._circuit.fail(period, now)
            # After many successes the failure rate would take long to rise.
            if self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                self._circuit.open(period, now)
        self._reports.state(is_away=self._circuit.state != "closed", reason=reason)

    def _report(self, error: BaseException) -> None:
        # ASK is how a node of a cluster redirects; it is no refusal.
        if isinstance(error, _REFUSALS) and not isinstance(error, AskError):
            self._reports.refusal(reason_of(error))


class _ServerConnections:
    """Connections to one server."""

    def __init__(self, url: str, *, connections: int, **options: Any) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=None,  # `_execute` limits the time of the whole command
            socket_timeout=None,
            socket_connect_timeout=None,
            **options,
        )
        self._client = Redis.from_pool(pool)
        self._client.response_callbacks.clear()  # return answers unparsed

    async def execute(self, command: Sequence[Value]) -> object:
        answer: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # it is not typed
        return answer

    async def connection_to(self, channel: str) -> AbstractConnection:  # noqa: ARG002 # there is one server
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # it is not typed
        return connection

    def heartbeat(self, channel: str) -> Sequence[str]:  # noqa: ARG002 # there is one server
        return ("PING",)

    def rediscover(self) -> None:
        """Do nothing: there is one server."""

    async def aclose(self) -> None:
        await self._client.aclose()


def _connections(url: str, *, is_cluster: bool) -> "ClusterConnections | _ServerConnections":
    kind = ClusterConnections if is_cluster else _ServerConnections
    return kind(
        url,
        connections=MAX_CONNECTIONS,
        retry=Retries(NoBackoff(), 0),
        client_name="bff",
        # These save three commands for a new connection, and a connection with unread answers is
        # not reused.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        protocol=3,
    )


def _is_cluster(url: str) -> tuple[bool, str]:
    """Return whether a URL is that of a cluster, and the URL without that parameter."""
    values = parse_qs(urlsplit(url).query).get(CLUSTER, [])
    if not values:
        return False, url
    if values != ["true"]:
        raise ValueError("the parameter cluster has to be true, or absent")
    parts = urlsplit(url)
    rest = "&".join(one for one in parts.query.split("&") if one != f"{CLUSTER}=true")
    return True, parts._replace(query=rest).geturl()


def name_of(url: str) -> str:
    """Return a URL for logs and errors: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _refuses_everything(error: ResponseError) -> bool:
    """Whether Redis refuses every command now: a script blocks it, or the cluster is down."""
    return isinstance(error, ClusterDownError) or str(error).startswith("BUSY ")
