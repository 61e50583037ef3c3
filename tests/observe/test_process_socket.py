"""Processes send each other commands over Unix sockets."""

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from bff_core.errors import ConfigurationError
from bff_core.observe.process_socket import (
    InvalidCommand,
    ProcessCommandFailed,
    send_command,
    serve_commands,
)
from bff_core.observe.sockets_folder import temporary_folder


async def _echo(body: bytes) -> bytes:
    return body[::-1]


async def _refuse(_body: bytes) -> bytes:
    raise InvalidCommand("send an address")


async def _break(_body: bytes) -> bytes:
    raise KeyError("token=secret")


async def _hang(_body: bytes) -> bytes:
    await asyncio.Event().wait()
    return b""


COMMANDS = {"echo": _echo, "refuse": _refuse, "break": _break, "hang": _hang}


@pytest.mark.parametrize("size", [0, 1, 1 << 16, 3 << 20])
async def test_an_answer_has_any_size(tmp_path, size):
    body = bytes(index % 251 for index in range(size))
    async with serve_commands(tmp_path, COMMANDS) as path:
        assert await send_command(path, "echo", body) == body[::-1]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("refuse", "refuse: send an address"),
        ("break", "break: KeyError"),
        ("other", "other: this process has no such command"),
    ],
)
async def test_an_error_is_sent_without_internals(tmp_path, command, message):
    async with serve_commands(tmp_path, COMMANDS) as path:
        with pytest.raises(ProcessCommandFailed) as failed:
            await send_command(path, command)
        assert str(failed.value) == message
        assert await send_command(path, "echo", b"ab") == b"ba"  # the socket still serves


async def test_a_command_has_a_time_limit(tmp_path):
    async with serve_commands(tmp_path, COMMANDS) as path:
        with pytest.raises(ProcessCommandFailed, match=r"no answer within 0\.05 s"):
            await send_command(path, "hang", seconds=0.05)


async def test_a_process_that_ends_inside_a_command_reports_no_error(tmp_path):
    """Its sender gets a reason; asyncio has nothing to print."""
    printed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: printed.append(context))
    is_running = asyncio.Event()

    async def hang(_body: bytes) -> bytes:
        is_running.set()
        return await _hang(b"")

    async with serve_commands(tmp_path, {"hang": hang}) as path:
        sending = asyncio.create_task(send_command(path, "hang"))
        await is_running.wait()
    with pytest.raises(ProcessCommandFailed, match="hang: the process ended"):
        await sending

    assert printed == []


async def test_a_process_that_is_gone(tmp_path):
    with pytest.raises(ProcessCommandFailed, match="the process does not answer"):
        await send_command(tmp_path / "1.sock", "echo")


async def test_only_the_user_may_connect(tmp_path):
    async with serve_commands(tmp_path, COMMANDS) as path:
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


async def test_what_is_no_command_ends_its_connection_only(tmp_path):
    async with serve_commands(tmp_path, COMMANDS) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b"ready\n"
        writer.close()
        assert await send_command(path, "echo", b"ab") == b"ba"


async def test_a_path_that_is_too_long_is_refused_with_a_reason(tmp_path):
    """The error of the system says neither which path nor who chose it."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="BFF_PROCESS_SOCKETS names a folder with too"):
        async with serve_commands(folder, {}):
            pass


def test_a_temporary_folder_has_room_for_sockets(tmp_path, monkeypatch):
    """It is the user's alone, and in /tmp where TMPDIR is too long."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    for tmpdir, parent in ((str(long), "/tmp"), ("/tmp", "/tmp")):
        monkeypatch.setattr(tempfile, "tempdir", tmpdir)
        with temporary_folder() as folder:
            inner = folder / "p99"
            inner.mkdir()
            asyncio.run(_served(inner))
            assert str(folder.parent) == parent
            assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.exists()


@pytest.fixture
def short_path():
    """Make a folder whose path leaves room for sockets, which that of a test may not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_folders_of_parents_that_were_killed_are_removed(short_path, monkeypatch):
    """Not those in use, nor new ones, nor what has another kind of name."""
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    names = ["bff-sockets-deserted", "bff-sockets-new_one1", "bff-other", "bff-sockets-deserted-2"]
    for name in names:
        (short_path / name / "p0").mkdir(parents=True)
        (short_path / name / "p0" / "7.sock").touch()
        os.utime(short_path / name, (1, 1) if name != names[1] else None)
    with temporary_folder() as used:
        os.utime(used, (1, 1))
        with temporary_folder() as other:
            assert used.is_dir()
            assert other != used
            found = {one.name for one in short_path.iterdir()} - {used.name, other.name}

    assert found == set(names[1:])
    assert {one.name for one in short_path.iterdir()} == set(names[1:])


async def _served(folder: Path) -> None:
    async with serve_commands(folder, COMMANDS) as path:
        assert await send_command(path, "echo", b"ab") == b"ba"
