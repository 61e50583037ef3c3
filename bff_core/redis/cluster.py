"""Connects to the nodes of a Redis Cluster; redis-py follows their redirections."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from bff_core.compat.redis import AbstractConnection
from bff_core.redis.interface import Value

NODE_TIMEOUT_SECONDS: Final = 1.0
"""How long a node may take to describe the cluster before another is tried."""

DISCOVERY_SECONDS: Final = 5.0
"""How long discovery may take, over all nodes."""

_NEEDED_CALLBACKS: Final = {"CLUSTER SLOTS", "COMMAND"}
"""The answers that redis-py has to parse for itself."""


class ClusterConnections:
    """Connections to all nodes of a cluster, discovered through the node in the URL.

    Discovery is a task that outlives the command that started it, since it takes longer than most
    commands may. After a failed command it runs again, as a node may have been replaced.
    """

    def __init__(self, url: str, *, connections: int, **options: Any) -> None:
        options |= dict.fromkeys(("socket_timeout", "socket_connect_timeout"), NODE_TIMEOUT_SECONDS)
        try:
            # A redirected command takes a second connection, and so does discovery.
            self._cluster = RedisCluster.from_url(url, max_connections=2 * connections, **options)
        except RedisClusterException as error:
            raise ValueError(str(error)) from error
        for name in {*self._cluster.response_callbacks} - _NEEDED_CALLBACKS:
            del self._cluster.response_callbacks[name]  # return answers unparsed
        self._cluster.result_callbacks.pop("SCAN", None)
        self._permits = asyncio.Semaphore(connections)
        self._discovery: asyncio.Task[RedisError | None] | None = None

    async def execute(self, command: Sequence[Value]) -> object:
        """Send a command to the node that serves its keys."""
        await self._wait_for_discovery()
        async with self._permits:
            try:
                options = self._target_of(command)
                answer: object = await self._cluster.execute_command(*command, **options)
            except RedisClusterException as error:
                raise _redis_error(error) from error
        return answer

    def _target_of(self, command: Sequence[Value]) -> dict[str, Any]:
        """Return the node of a SCAN, which has no key: that of the slot of its pattern."""
        if command[0] != "SCAN":
            return {}
        pattern = command[list(command).index("MATCH") + 1]
        return {"target_nodes": self._cluster.get_node_from_key(str(pattern))}

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
        """Return a command that fails on a node that no longer serves the channel's slot.

        Such a node answers MOVED. PING would succeed, although the node then receives messages
        through other nodes, and later.
        """
        return "EXISTS", channel

    def rediscover(self) -> None:
        """Discover the cluster again before the next command."""
        if self._discovery is not None and self._discovery.done():
            self._discovery = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._discovery is not None:
            self._discovery.cancel()
            await asyncio.wait([self._discovery])
        await self._cluster.aclose()
        # After a failure redis-py believes these closed.
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
        """Find out which node serves which slots; return the error for all that wait."""
        try:
            async with asyncio.timeout(DISCOVERY_SECONDS):
                await self._cluster.initialize()
                await self._cluster.nodes_manager.initialize()
        except RedisError as error:
            return error
        except (TimeoutError, OSError, RedisClusterException) as error:
            return _redis_error(error)
        return None


def _redis_error(error: Exception) -> RedisError:
    """Convert an error to a `RedisError`: to its cause if that is one."""
    cause = error.__cause__
    return cause if isinstance(cause, RedisError) else RedisError(str(error) or "no node answers")
