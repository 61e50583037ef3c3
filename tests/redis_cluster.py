"""A real Redis Cluster for tests: three servers on this machine, each with a third of the slots."""

import shutil
import subprocess
import time
from pathlib import Path

from tests.redis_server import RedisServer

PATIENCE = 20.0
"""Seconds that the cluster may take until it serves all slots."""


OPTIONS = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
"""What makes a server a node; it serves soon after it has met the others."""


class RedisClusterServers:
    """Three processes of redis-server that form a cluster, without replicas."""

    def __init__(self, folder: Path) -> None:
        self.servers = []
        for number in range(3):
            place = folder / f"node-{number}"
            place.mkdir()
            self.servers.append(RedisServer(place, options=OPTIONS))
        self.url = f"redis://127.0.0.1:{self.servers[0].port}?cluster=true"

    def start(self) -> None:
        """Start the servers, join them to a cluster, and wait for it."""
        for server in self.servers:
            server.start()
        self.manage("create", *self._addresses(), "--cluster-yes")
        self.wait()

    def wait(self) -> None:
        """Return when each server serves."""
        deadline = time.monotonic() + PATIENCE
        while not all(self._serves(server) for server in self.servers):
            assert time.monotonic() < deadline, "the cluster does not serve"
            time.sleep(0.01)

    def manage(self, *words: str) -> str:
        """Run `redis-cli --cluster …` as an operator does, and return what it prints."""
        program = shutil.which("redis-cli")
        assert program is not None, "redis-cli is not installed"
        command = (program, "--cluster", *words)
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def order(self, *words: str) -> None:
        """Send each node a command, as its operator does."""
        for server in self.servers:
            assert server.order(*words) == b"+OK"

    def kill(self) -> None:
        """End all servers."""
        for server in self.servers:
            server.kill()

    def _addresses(self) -> list[str]:
        return [f"127.0.0.1:{server.port}" for server in self.servers]

    def _serves(self, server: RedisServer) -> bool:
        # A node that knows all slots serves some, and redirects for the others.
        return all(
            server.order("EXISTS", name).startswith((b":", b"-MOVED")) for name in ("a", "b", "c")
        )
