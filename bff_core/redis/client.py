"""Redis as state that gateways share: every command ends in time, whatever Redis does."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
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

TIMEOUT: Final = 0.05
"""Seconds: what a request may lose by a Redis that does not answer."""

STREAK: Final = 5
"""After how many failures on end commands are refused at once."""

CONNECTIONS: Final = 16
"""How many connections a link opens at most; further commands wait for one, in time.

Redis works one command at a time: more connections are no quicker, and a burst that has to open
all of them at once is slower than its timeout.
"""

CLUSTER: Final = "cluster"
"""The parameter of a URL that says that it names a node of a cluster."""

_REFUSALS: Final = (AuthenticationError, BusyLoadingError, ResponseError)
"""What Redis itself answers instead of a result."""


class _Connections(Protocol):
    """Sends commands over connections to one server, or to the nodes of a cluster."""

    async def execute(self, command: Sequence[Value], /) -> object: ...

    async def connection_to(self, channel: str, /) -> AbstractConnection: ...

    def heartbeat(self, channel: str, /) -> Sequence[str]: ...

    def rediscover(self) -> None: ...

    async def aclose(self) -> None: ...


class RedisClient:
    """A client of one Redis (or Valkey), or of a cluster of them, for a whole process.

    A cluster is a URL with `cluster=true`, as in `redis://node:6379?cluster=true`.

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
            self._is_cluster, address = _is_cluster(url)
            self._connections = _connections(address, is_cluster=self._is_cluster)
        except ValueError as error:
            raise ConfigurationError(f"{name_of(url)} is no Redis URL: {error}") from error

    def __repr__(self) -> str:
        return f"redis      {self.name}, {self._circuit.state}"

    @property
    def is_down(self) -> bool:
        """Whether commands are refused now."""
        return self._circuit.is_refusing(self._clock())

    def prefix(self, group: str) -> str:
        """Return what the keys of a group begin with; a cluster has all of them in one slot."""
        return f"bff:{{{group}}}:" if self._is_cluster else f"bff:{group}:"

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
        """Run a Lua script atomically and return its result; Redis has it cached from then on."""
        digest = self._scripts.get(source)
        if digest is None:
            # The name that Redis gives a script; it protects nothing.
            digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
            self._scripts[source] = digest
        rest = (len(keys), *keys, *args)
        try:
            return await self.run("EVALSHA", digest, *rest, within=within)
        except NoScriptError:
            return await self.run("EVAL", source, *rest, within=within)

    def subscribe(self, channel: str, *, gap: Callable[[], None]) -> "RedisSubscription":
        """Return what receives a channel on a connection of its own, once it is run."""
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

    async def _bounded(self, command: Sequence[Value], within: float) -> object:
        circuit, now = self._circuit, self._clock()
        period = circuit.admit(now)
        if period is None:
            raise StoreUnavailable(self.name, "is not answering", circuit.retry_after(now))
        try:
            async with bounded(within):
                answer = await self._connections.execute(command)
        except NoScriptError:
            self._take(period, now, is_good=True)
            raise
        except (TimeoutError, OSError, RedisError) as error:
            is_refusal = isinstance(error, ResponseError) and not _serves_nothing(error)
            if not is_refusal:
                self._connections.rediscover()
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
        # A node of a cluster that no longer serves a channel says so by a redirection.
        if isinstance(error, _REFUSALS) and not isinstance(error, AskError):
            self._reports.refusal(reason_of(error))


class _ServerConnections:
    """Connections to one server."""

    def __init__(self, url: str, *, connections: int, **options: Any) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=None,  # `_bounded` ends a command, however much it waits and reads
            socket_timeout=None,
            socket_connect_timeout=None,
            **options,
        )
        self._client = Redis.from_pool(pool)
        self._client.response_callbacks.clear()  # answers as Redis gives them

    async def execute(self, command: Sequence[Value]) -> object:
        answer: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # it is not typed
        return answer

    async def connection_to(self, channel: str) -> AbstractConnection:  # noqa: ARG002 # all are here
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # it is not typed
        return connection

    def heartbeat(self, channel: str) -> Sequence[str]:  # noqa: ARG002 # all are here
        return ("PING",)

    def rediscover(self) -> None:
        """Do nothing: the address is all there is to know."""

    async def aclose(self) -> None:
        await self._client.aclose()


def _connections(url: str, *, is_cluster: bool) -> _Connections:
    kind = ClusterConnections if is_cluster else _ServerConnections
    return kind(
        url,
        connections=CONNECTIONS,
        retry=Retries(NoBackoff(), 0),
        client_name="bff",
        # Three commands fewer for a new connection, and one that has unread answers left is not
        # used again.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        protocol=3,
    )


def _is_cluster(url: str) -> tuple[bool, str]:
    """Return whether a URL names a cluster, and the URL of its node without that parameter."""
    values = parse_qs(urlsplit(url).query).get(CLUSTER, [])
    if not values:
        return False, url
    if values != ["true"]:
        raise ValueError("the parameter cluster is true, or left out")
    parts = urlsplit(url)
    rest = "&".join(one for one in parts.query.split("&") if one != f"{CLUSTER}=true")
    return True, parts._replace(query=rest).geturl()


def name_of(url: str) -> str:
    """Return how a URL appears in logs and errors: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _serves_nothing(error: ResponseError) -> bool:
    """Whether Redis refuses every command now, not only this one: in a script, in a failover."""
    return isinstance(error, ClusterDownError) or str(error).startswith("BUSY ")
