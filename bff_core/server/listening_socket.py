"""The socket that clients connect to: told in a line what is wrong with it, closed without loss."""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final

BACKLOG: Final = 2048

_REASONS: Final = {
    errno.EADDRINUSE: "is busy: free it, or choose another one with --port or BFF_PORT",
    errno.EACCES: "needs privileges: choose one above 1023 with --port or BFF_PORT",
    errno.EADDRNOTAVAIL: "can't be had: this machine has no such address",
}


class CannotListen(Exception):
    """A socket could not be had; the message is one line."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises CannotListen."""
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"host {host!r} can't be listened on: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, f"can't be listened on: {error.strerror}")
        raise CannotListen(f"port {port} of {host} {reason}") from None
    return listener


def adopt(descriptor: int) -> socket.socket:
    """Return the listening socket that the process was started with; raises CannotListen."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise CannotListen(f"file descriptor {descriptor} is no socket")
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListen(
            f"file descriptor {descriptor} can't be listened on: {error.strerror}"
        ) from None


class Listening:
    """One listening socket and the loop that accepts from it."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        patience: float,
    ) -> None:
        self._listener = listener
        self._make_protocol = make_protocol
        self._patience = patience
        self._server: asyncio.Server | None = None
        self._accepting: list[asyncio.Task[object]] = []

    async def open(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        _bound_unacknowledged(self._listener, self._patience)
        self._server = await loop.create_server(
            self._make_protocol, sock=self._listener, backlog=BACKLOG
        )

    async def close(self) -> None:
        """Accept what waits, then no more.

        Closing a socket resets the connections that the kernel has completed and nobody has
        accepted: clients that have done nothing wrong. All happens in one turn of the loop, so
        that hardly any can come in between.
        """
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        waiting = [
            loop.connect_accepted_socket(self._make_protocol, accepted)
            for accepted in self._accept_all()
        ]
        self._server.close()
        self._server = None
        await asyncio.gather(*waiting, return_exceptions=True)

    def _accept_all(self) -> list[socket.socket]:
        # A copy: the loop may have made the socket its own, and closes it when it wants to.
        accepted = []
        with suppress(OSError), socket.socket(fileno=os.dup(self._listener.fileno())) as listener:
            listener.setblocking(False)
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                accepted.append(connection)
        return accepted


def _bound_unacknowledged(listener: socket.socket, seconds: float) -> None:
    """Let the kernel, too, drop clients that do not take what was sent.

    Accepted sockets inherit it.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listener.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
