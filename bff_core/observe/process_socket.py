"""Lets the processes of a gateway, and `bff dev`, send commands to each other over Unix sockets.

Each process serves `<pid>.sock` in a folder that its parent made. It greets each connection; then
it reads commands, each a name and a body, and writes their answers. A process whose event loop is
blocked or that is stopped sends no greeting, so it gets no command that it would run later.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from bff_core.errors import ConfigurationError
from bff_core.observe.connections import Connections

SOCKETS_VARIABLE: Final = "BFF_PROCESS_SOCKETS"
"""The environment variable that names the folder; parents set it."""

MAX_BODY_BYTES: Final = 64 << 20
"""The largest body of a command or an answer; a longer one is an error."""

COMMAND_SECONDS: Final = 5.0
"""How long a command may take unless its sender says otherwise."""

_GREETING: Final = b"ready\n"

MAX_PATH_BYTES: Final = 103
"""The longest path of a Unix socket on all systems: Linux takes 107 bytes, others 103."""

Command = Callable[[bytes], Awaitable[bytes]]
"""Handles the body of a command and returns the body of the answer."""


class ProcessCommandFailed(Exception):
    """The other process could not run the command; the message says why."""


class ProcessUnreached(ProcessCommandFailed):
    """The other process did not get the command, so it never runs it: the process is gone."""


class ProcessSilent(ProcessUnreached):
    """The other process runs, but did not greet in time: it is stopped, or its loop is blocked."""


class _Head(msgspec.Struct):
    """The line before a body: of a command its name, of an answer an error or nothing."""

    size: int
    command: str = ""
    error: str = ""


_heads = msgspec.json.Decoder(_Head)


class InvalidCommand(ValueError):
    """A command's body is wrong; the message goes to its sender."""


@asynccontextmanager
async def serve_commands(folder: Path, commands: Mapping[str, Command]) -> AsyncIterator[Path]:
    """Serve commands on a socket of this process while the context is open.

    A command that raises is answered with the error: with the message of an `InvalidCommand`, else
    with the class only. Raises `ConfigurationError` for a folder whose path is too long.
    """
    path = socket_of(folder, os.getpid())
    _check_length(path)
    path.unlink(missing_ok=True)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(_GREETING)
            while (frame := await _read(reader)) is not None:
                head, body = frame
                await _write(writer, *await _run(commands, head.command, body))
        except (OSError, ValueError, EOFError):
            pass  # the sender is gone, or it is none of ours
        finally:
            writer.close()

    connections = Connections(answer)
    server = await asyncio.start_unix_server(connections, path, limit=1 << 16)
    path.chmod(0o600)
    try:
        yield path
    finally:
        server.close()
        path.unlink(missing_ok=True)
        await connections.aclose()


async def send_command(
    path: Path,
    command: str,
    body: bytes = b"",
    *,
    seconds: float = COMMAND_SECONDS,
    greeting_seconds: float = COMMAND_SECONDS,
) -> bytes:
    """Send a command to the process behind a socket and return the body of its answer.

    Raises `ProcessUnreached` for a process that is gone, and its `ProcessSilent` if the process
    does not greet within `greeting_seconds`: it then never runs the command. Raises
    `ProcessCommandFailed` for an error of the command, a timeout, or a process that ends meanwhile.
    """
    try:
        async with asyncio.timeout(seconds), AsyncExitStack() as closing:
            try:
                async with asyncio.timeout(greeting_seconds):
                    reader, writer = await closing.enter_async_context(_connected(path))
            except TimeoutError:
                raise ProcessSilent(f"{command}: no answer within {greeting_seconds:g} s") from None
            except (OSError, ValueError, EOFError) as error:
                reason = f"{command}: the process does not answer ({error})"
                raise ProcessUnreached(reason) from None
            await _write(writer, _Head(len(body), command), body)
            frame = await _read(reader)
    except TimeoutError:
        raise ProcessCommandFailed(f"{command}: no answer within {seconds:g} s") from None
    except (OSError, ValueError, EOFError) as error:
        raise ProcessCommandFailed(f"{command}: the process does not answer ({error})") from None
    if frame is None:
        raise ProcessCommandFailed(f"{command}: the process ended")
    head, answered = frame
    if head.error:
        raise ProcessCommandFailed(head.error)
    return answered


async def await_greeting(path: Path) -> bool:
    """Wait until the process behind a socket greets; return False if it is gone."""
    try:
        async with _connected(path):
            return True
    except (OSError, ValueError, EOFError):
        return False


@asynccontextmanager
async def _connected(
    path: Path,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a process, and wait for its greeting."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 16)
    try:
        if await reader.readexactly(len(_GREETING)) != _GREETING:
            raise ValueError("another program serves this socket")
        yield reader, writer
    finally:
        writer.close()


def socket_of(folder: Path, pid: int) -> Path:
    """Return the socket of a process."""
    return folder / f"{pid}.sock"


def sockets_in(folder: Path) -> dict[int, Path]:
    """Return the sockets in a folder by the ids of their processes, the lowest first."""
    paths = [path for path in folder.glob("*.sock") if path.stem.isdigit()]
    return {int(path.stem): path for path in sorted(paths, key=lambda path: int(path.stem))}


def _check_length(path: Path) -> None:
    size = len(os.fsencode(path))
    if size > MAX_PATH_BYTES:
        raise ConfigurationError(
            f"{SOCKETS_VARIABLE} names a folder with too long a path: the socket {path} "
            f"has {size} bytes, and {MAX_PATH_BYTES} are possible; choose a shorter one"
        )


async def _run(commands: Mapping[str, Command], name: str, body: bytes) -> tuple[_Head, bytes]:
    handler = commands.get(name)
    if handler is None:
        return _Head(0, error=f"{name}: this process has no such command"), b""
    try:
        answered = await handler(body)
    except InvalidCommand as error:
        return _Head(0, error=f"{name}: {error}"), b""
    except Exception as error:  # noqa: BLE001 - a command must not end the socket
        return _Head(0, error=f"{name}: {type(error).__name__}"), b""
    return _Head(len(answered)), answered


async def _read(reader: asyncio.StreamReader) -> tuple[_Head, bytes] | None:
    """Return the next head and body; None at the end of the connection."""
    line = await reader.readline()
    if not line:
        return None
    head = _heads.decode(line)
    if not 0 <= head.size <= MAX_BODY_BYTES:
        raise ValueError(f"a body of {head.size} bytes")
    return head, await reader.readexactly(head.size)


async def _write(writer: asyncio.StreamWriter, head: _Head, body: bytes) -> None:
    writer.write(msgspec.json.encode(head) + b"\n" + body)
    await writer.drain()
