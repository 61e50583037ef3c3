"""Runs one service in this process, until a signal or the end of the process that started it."""

import asyncio
import logging
import multiprocessing
import signal
import socket
import sys
from dataclasses import dataclass

import uvicorn

from services_mock import shop
from services_mock.faults_socket import RawSocketProtocol
from services_mock.warm import warm

log = logging.getLogger("services_mock")

GRACE = 1
"""Seconds that requests in flight have when the service stops."""

BACKLOG = 1024
STOPPERS = frozenset({signal.SIGINT, signal.SIGTERM})


class PortTaken(Exception):
    """A port that another program listens on."""


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a service; for port 0 the first printed line has the chosen one."""

    name: str
    host: str
    port: int

    def bind(self) -> socket.socket:
        """Return a listening socket, or raise `PortTaken` with a line that says what to do."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise PortTaken(
                f"{self.name}: cannot listen on {self.host}:{self.port} ({error.strerror}); "
                "stop what is there, or set SERVICES_PORT (the first port) or --port"
            ) from None
        return listener


class _Server(uvicorn.Server):
    """uvicorn, which prints its address in one line and ends with its parent."""

    def __init__(self, config: uvicorn.Config, place: Place) -> None:
        super().__init__(config)
        self._place = place

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await warm(self.config.loaded_app, self._place.name)
        await super().startup(sockets)
        parent = multiprocessing.parent_process()
        if parent is not None:
            asyncio.get_running_loop().add_reader(parent.sentinel, self._orphaned, parent.sentinel)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            log.info("%-15s http://%s:%d", self._place.name, host, port)

    def _orphaned(self, sentinel: int) -> None:
        asyncio.get_running_loop().remove_reader(sentinel)
        self.should_exit = True


def serve(place: Place, listener: socket.socket, *, access_log: bool = False) -> None:
    """Serve on a socket until SIGINT or SIGTERM, then exit with 0."""
    # uvicorn handles both signals and raises them again when it is done: this is the answer then.
    for number in STOPPERS:
        signal.signal(number, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPERS)
    config = uvicorn.Config(
        shop.create_app(place.name),
        http=RawSocketProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=access_log,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
    )
    # Its output at shutdown is not useful.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    _Server(config, place).run(sockets=[listener])


def _leave(_number: int, _frame: object) -> None:
    sys.exit(0)
