"""The socket that clients connect to: bound with clear errors, closed without losing a client."""

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
    errno.EADDRNOTAVAIL: "is not available: this machine has no such address",
}


class CannotListen(Exception):
    """A socket is not available; the message is one line."""


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


async def listen(
    listener: socket.socket,
    make_protocol: Callable[[], asyncio.Protocol],
    *,
    send_timeout: float,
) -> "Listening":
    """Accept connections; a client that takes nothing for `send_timeout` seconds is dropped."""
    listener.setblocking(False)
    _bound_unacknowledged(listener, send_timeout)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make_protocol, sock=listener, backlog=BACKLOG)
    return Listening(listener, make_protocol, server)


class Listening:
    """A listening socket, and the server that accepts from it."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        server: asyncio.Server,
    ) -> None:
        self._listener = listener
        self._make_protocol = make_protocol
        self._server = server

    async def close(self) -> None:
        """Accept the connections that wait, then no more.

        Closing a socket resets the connections that the kernel has completed and the process has
        not accepted: clients that have done nothing wrong. All happens in one turn of the loop, so
        that hardly any can come in between.
        """
        if not self._server.is_serving():
            return
        loop = asyncio.get_running_loop()
        waiting = [
            loop.connect_accepted_socket(self._make_protocol, accepted)
            for accepted in self._accept_all()
        ]
        self._server.close()
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
    """Let the kernel, too, drop clients that do not acknowledge what was sent.

    Accepted sockets inherit it.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listener.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
