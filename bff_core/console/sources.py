"""The processes of each gateway: sends them commands, and merges their answers."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.silent_processes import SilentProcesses
from bff_core.observe.process_socket import (
    COMMAND_SECONDS,
    Command,
    InvalidCommand,
    ProcessCommandFailed,
    ProcessSilent,
    ProcessUnreached,
    await_greeting,
    send_command,
    sockets_in,
)

T = TypeVar("T")

ACTIONS_COMMAND: Final = "console.actions"
"""The command that returns what people changed by way of a process: a list of `EventRow`."""

GREETING_SECONDS: Final = 0.4
"""How long a page waits for a process whose event loop may be blocked."""

ANSWER_SECONDS: Final = 1.0
"""How long a process that has greeted may take for what pages read."""

_SAME_MOMENT_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySource:
    """A gateway: its processes serve commands in a `folder`, or this process runs its `commands`.

    `url` is its address for the console's browser, and `client` names the icon of its clients.
    `token` is a command that prints an access token for it.
    """

    name: str
    folder: Path | None = None
    commands: Mapping[str, Command] = field(default_factory=dict)
    url: str = ""
    client: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class ProcessAnswer:
    """What one process answered; `process` is its process id, empty for this process."""

    process: str
    body: bytes

    def decoded(self, kind: type[T]) -> T:
        """Return the body as a value; raises `msgspec.DecodeError` for another form."""
        return msgspec.json.decode(self.body, type=kind)


@dataclass(frozen=True, slots=True)
class ProcessFailure:
    """A process that did not answer, and why; `since` when (Unix time) it is silent, if it is.

    `has_run` says that it got the command, and may have run it.
    """

    process: str
    reason: str
    since: float | None = None
    has_run: bool = False


@dataclass(frozen=True, slots=True)
class ProcessAnswers:
    """The answers of the processes of one gateway, and the processes that did not answer."""

    answered: Sequence[ProcessAnswer]
    failed: Sequence[ProcessFailure]

    def decoded(self, kind: type[T]) -> list[T]:
        """Return the values of all answers."""
        return [one.decoded(kind) for one in self.answered]


@dataclass(frozen=True, slots=True)
class _Process:
    """A process of a gateway and its socket; without a name and a socket it is this one."""

    name: str
    path: Path | None


class Sources:
    """The gateways of a console; `names` are in the order in which pages list them.

    A process that does not answer in time is silent: it gets no commands until it answers again.
    """

    def __init__(self, gateways: Iterable[GatewaySource], *, wall: Clock = time.time) -> None:
        self._gateways = {one.name: one for one in gateways}
        self._silent = SilentProcesses(wall)

    @property
    def names(self) -> list[str]:
        """The names of all gateways."""
        return list(self._gateways)

    def get(self, gateway: str) -> GatewaySource:
        """Return a gateway; raises a `ConsoleProblem` (404) for an unknown name."""
        found = self._gateways.get(gateway)
        if found is None:
            known = ", ".join(self._gateways) or "none"
            raise ConsoleProblem(404, "No such gateway", f"The console has: {known}.")
        return found

    def selected(self, gateway: str) -> list[str]:
        """Return the names to read for a filter: one gateway, or all if it is empty."""
        return [self.get(gateway).name] if gateway else self.names

    @property
    def silent(self) -> bool:
        """Whether a process is silent now."""
        return bool(self._silent)

    async def aclose(self) -> None:
        """Wait for silent processes no longer."""
        await self._silent.aclose()

    async def send_one(
        self,
        gateway: str,
        command: str,
        body: bytes = b"",
        *,
        process: str = "",
        seconds: float = COMMAND_SECONDS,
    ) -> bytes:
        """Send a command to one process: the named one, or the first that takes it.

        It has `seconds` to answer; no other process then runs the command a second time. Raises a
        `ConsoleProblem` (503) if it does not answer, or none takes the command.
        """
        source = self.get(gateway)
        processes = [one for one in _processes(source) if process in {"", one.name}]
        failures: list[ProcessFailure] = []
        for one in await self._greeting_first(processes):
            answered = await self._send(source, one, command, body, seconds)
            if isinstance(answered, bytes):
                return answered
            failures.append(answered)
            if answered.has_run:
                break
        reasons = [f"{one.reason}." for one in failures]
        raise ConsoleProblem(
            503,
            f"{gateway} does not answer",
            reasons[-1] if reasons else "None of its processes runs: start it first.",
        )

    async def send_all(
        self,
        gateway: str,
        command: str,
        body: bytes | Callable[[str], bytes] = b"",
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> ProcessAnswers:
        """Send a command to all processes of a gateway at once; those that fail are reported.

        `body` may be a function that returns the body for a process id.
        """
        source = self.get(gateway)
        processes = _processes(source)
        bodies = [body(one.name) if callable(body) else body for one in processes]
        found = await asyncio.gather(
            *(
                self._send(source, one, command, some, seconds)
                for one, some in zip(processes, bodies, strict=True)
            )
        )
        answered, failed = list[ProcessAnswer](), list[ProcessFailure]()
        for process, one in zip(processes, found, strict=True):
            if isinstance(one, bytes):
                answered.append(ProcessAnswer(process.name, one))
            else:
                failed.append(one)
        return ProcessAnswers(answered, failed)

    async def send_each(
        self, gateways: Iterable[str], command: str, body: bytes = b""
    ) -> dict[str, ProcessAnswers]:
        """Send a command to all processes of several gateways at once."""
        names = list(gateways)
        found = await asyncio.gather(*(self.send_all(one, command, body) for one in names))
        return dict(zip(names, found, strict=True))

    async def _greeting_first(self, processes: Sequence[_Process]) -> list[_Process]:
        """Return the processes, those that greet at once before the others."""
        paths = {one.path: one for one in processes if one.path is not None}
        heard = [path for path in paths if self._silent.since(path) is None]
        if len(heard) < 2:
            return sorted(processes, key=lambda one: one.path not in heard)
        greetings = {path: asyncio.ensure_future(await_greeting(path)) for path in heard}
        try:
            first, late = await asyncio.wait(
                greetings.values(), timeout=GREETING_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if first and late:
                await asyncio.wait(late, timeout=_SAME_MOMENT_SECONDS)
            greeted = {path for path, one in greetings.items() if one.done() and one.result()}
        finally:
            for one in greetings.values():
                one.cancel()
            await asyncio.gather(*greetings.values(), return_exceptions=True)
        if not first:
            for path in heard:
                self._silent.add(path, GREETING_SECONDS)
        return sorted(processes, key=lambda one: one.path not in greeted)

    async def _send(
        self, source: GatewaySource, process: _Process, command: str, body: bytes, seconds: float
    ) -> bytes | ProcessFailure:
        """Return the answer of a process, or why there is none."""
        path = process.path
        if path is None:
            return await _run(source, command, body, seconds)
        since = self._silent.since(path)
        try:
            if since is None:
                return await send_command(
                    path, command, body, seconds=seconds, greeting_seconds=GREETING_SECONDS
                )
        except ProcessSilent:
            since = self._silent.add(path, GREETING_SECONDS)
        except ProcessUnreached as error:
            return ProcessFailure(process.name, str(error))
        except ProcessCommandFailed as error:
            return ProcessFailure(process.name, str(error), has_run=True)
        reason = f"Process {process.name} is stopped, or its event loop is blocked"
        return ProcessFailure(process.name, reason, since)


def _processes(source: GatewaySource) -> list[_Process]:
    """Return the processes of a gateway; without a folder this process is the only one."""
    if source.folder is None:
        return [_Process("", None)]
    return [_Process(str(pid), path) for pid, path in sockets_in(source.folder).items()]


async def _run(
    source: GatewaySource, command: str, body: bytes, seconds: float
) -> bytes | ProcessFailure:
    """Run a command in this process."""
    run = source.commands.get(command)
    if run is None:
        return ProcessFailure("", f"{command}: this process has no such command")
    try:
        async with asyncio.timeout(seconds):
            return await run(body)
    except TimeoutError:
        return ProcessFailure("", f"{command}: no answer within {seconds:g} s")
    except InvalidCommand as error:
        return ProcessFailure("", f"{command}: {error}")
    except Exception as error:  # noqa: BLE001 - as from another process
        return ProcessFailure("", f"{command}: {type(error).__name__}")
