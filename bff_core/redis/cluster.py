"""Finds the node of a Redis Cluster that serves a key; redis-py follows its redirections."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from bff_core.compat.redis import AbstractConnection
from bff_core.redis.interface import Value

NODE_TIMEOUT: Final = 1.0
"""Seconds that a node may take to answer, before another one describes the cluster."""

DISCOVERY_TIMEOUT: Final = 5.0
"""Seconds in which one of the nodes has to describe the cluster."""

_NEEDED_CALLBACKS: Final = {"CLUSTER SLOTS", "COMMAND"}
"""The answers that redis-py parses for itself."""


class ClusterConnections:
    """Connections to all nodes of a cluster, found through the node that a URL names.

    Discovery is a task of its own, which outlives the command that started it: it takes longer
    than most commands may. A failed command starts it again, as a node may have been replaced.
    """

    def __init__(self, url: str, *, connections: int, **options: Any) -> None:
        options |= {"socket_timeout": NODE_TIMEOUT, "socket_connect_timeout": NODE_TIMEOUT}
        try:
            # A redirected command takes a second connection, and so does discovery.
            self._cluster = RedisCluster.from_url(url, max_connections=2 * connections, **options)
        except RedisClusterException as error:
            raise ValueError(str(error)) from error
        for name in {*self._cluster.response_callbacks} - _NEEDED_CALLBACKS:
            del self._cluster.response_callbacks[name]  # answers as Redis gives them
        self._permits = asyncio.Semaphore(connections)
        self._discovery: asyncio.Task[RedisError | None] | None = None

    async def execute(self, command: Sequence[Value]) -> object:
        """Send a command to the node that serves its keys."""
        await self._wait_for_discovery()
        async with self._permits:
            try:
                answer: object = await self._cluster.execute_command(*command)
            except RedisClusterException as error:
                raise _redis_error(error) from error
        return answer

    async def connection_to(self, channel: str) -> AbstractConnection:
        """Return a new connection to the node that serves the key of a channel's name."""
        self.rediscover()
        await self._wait_for_discovery()
        try:
            node = self._cluster.get_node_from_key(channel)
        except RedisClusterException as error:
            raise _redis_error(error) from error
        if node is None:
            raise RedisError(f"no node serves {channel}")
        return node.connection_class(**node.connection_kwargs)

    def heartbeat(self, channel: str) -> Sequence[str]:
        """Return a command that only the node that serves a channel's key answers.

        A node that was replaced answers MOVED. PING would not do: nodes pass on what others
        publish, at some later time.
        """
        return "EXISTS", channel

    def rediscover(self) -> None:
        """Have the next command find out first which node serves what."""
        if self._discovery is not None and self._discovery.done():
            self._discovery = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._discovery is not None:
            self._discovery.cancel()
            await asyncio.wait([self._discovery])
        await self._cluster.aclose()
        # After a failure redis-py takes them for closed.
        await self._cluster.nodes_manager.aclose()
        await self._cluster.nodes_manager.aclose("startup_nodes")

    async def _wait_for_discovery(self) -> None:
        task = self._discovery
        if task is None:
            task = self._discovery = asyncio.get_running_loop().create_task(self._discover())
        error = task.result() if task.done() else await asyncio.shield(task)
        if error is not None:
            raise error

    async def _discover(self) -> RedisError | None:
        """Learn which node serves what; return what went wrong, for all who wait."""
        try:
            async with asyncio.timeout(DISCOVERY_TIMEOUT):
                await self._cluster.initialize()
                await self._cluster.nodes_manager.initialize()
        except RedisError as error:
            return error
        except (TimeoutError, OSError, RedisClusterException) as error:
            return _redis_error(error)
        return None


def _redis_error(error: Exception) -> RedisError:
    """Return an error of redis-py's that is no `RedisError` as one, by its cause if it has one."""
    cause = error.__cause__
    return cause if isinstance(cause, RedisError) else RedisError(str(error) or "no node answers")
