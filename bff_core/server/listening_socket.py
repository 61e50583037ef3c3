"""The listening socket: binds with clear errors, and closes without resetting a connection."""

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
    """The socket can't be opened; the message is one line."""


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket; raises CannotListen."""
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"can't listen on host {host!r}: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, f"can't be opened: {error.strerror}")
        raise CannotListen(f"port {port} of {host} {reason}") from None
    return listener


def adopt(descriptor: int) -> socket.socket:
    """Return the listening socket that this process inherited; raises CannotListen."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise CannotListen(f"file descriptor {descriptor} is not a socket")
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListen(
            f"can't listen on file descriptor {descriptor}: {error.strerror}"
        ) from None


async def listen(
    listener: socket.socket,
    make_protocol: Callable[[], asyncio.Protocol],
    *,
    send_timeout: float,
) -> "Listening":
    """Accept connections; the kernel drops clients that acknowledge nothing for `send_timeout`."""
    listener.setblocking(False)
    _set_user_timeout(listener, send_timeout)
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
        """Accept the connections in the backlog, then close the socket.

        Closing a socket resets connections that the kernel has completed but the process has not
        accepted. Both happen in one iteration of the loop, so that few can arrive in between.
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
        # A duplicate: the loop owns the socket, and may close it at any time.
        accepted = []
        with suppress(OSError), socket.socket(fileno=os.dup(self._listener.fileno())) as listener:
            listener.setblocking(False)
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                accepted.append(connection)
        return accepted


def _set_user_timeout(listener: socket.socket, seconds: float) -> None:
    """Have the kernel drop clients that acknowledge no data; accepted sockets inherit this."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listener.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
