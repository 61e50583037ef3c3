"""A real Redis for one test: started empty, frozen, thawed, killed, started again."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = 20.0
"""Seconds that Redis may take to start."""


class RedisServer:
    """A redis-server on a free port of this machine; `folder` holds what it writes to disk.

    With `durable` it writes to disk before it answers, and has the data after a restart. With a
    `certificate`, a file that holds its key as well, it also speaks TLS, on `tls_port`. `options`
    are further ones of its command line.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = False,
        certificate: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.port, self.tls_port = _free_port(), _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._durable = durable
        self._certificate = certificate
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is not installed"
        keep = ("--appendonly", "yes", "--appendfsync", "always")
        drop = ("--appendonly", "no", "--save", "")
        address = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder))
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                (
                    program,
                    *address,
                    *self._tls(),
                    *(keep if self._durable else drop),
                    *self._options,
                ),
                stdout=log,
            )
        self._wait()

    def order(self, *words: str) -> bytes:
        """Send it a command, as its operator does, and return the first line of its answer."""
        sent = b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(b"*%d\r\n%b" % (len(words), sent))
            with connection.makefile("rb") as answer:
                return answer.readline().rstrip()

    def freeze(self) -> None:
        """Let it accept connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def _tls(self) -> tuple[str, ...]:
        if self._certificate is None:
            return ()
        path = str(self._certificate)
        files = ("--tls-cert-file", path, "--tls-key-file", path)
        return ("--tls-port", str(self.tls_port), *files, "--tls-auth-clients", "no")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "Redis is not running"
        self._process.send_signal(number)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, "Redis does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
