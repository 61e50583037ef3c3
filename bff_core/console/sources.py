"""The processes of each gateway: sends them commands, and merges their answers."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bff_core.console.answers import ConsoleProblem
from bff_core.observe.process_socket import (
    SECONDS,
    Command,
    InvalidCommand,
    ProcessCommandFailed,
    send_command,
)

T = TypeVar("T")

ACTIONS: Final = "console.actions"
"""The command that returns what people changed by way of a process: a list of `EventRow`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySource:
    """A gateway: its processes serve commands in a `folder`, or this process runs its `commands`.

    `url` is its address for the console's browser, and `client` names the icon of its clients.
    """

    name: str
    folder: Path | None = None
    commands: Mapping[str, Command] = field(default_factory=dict)
    url: str = ""
    client: str = ""


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
    """A process that did not answer, and why."""

    process: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessAnswers:
    """The answers of the processes of one gateway, and the processes that did not answer."""

    answered: Sequence[ProcessAnswer]
    failed: Sequence[ProcessFailure]

    def decoded(self, kind: type[T]) -> list[T]:
        """Return the values of all answers."""
        return [one.decoded(kind) for one in self.answered]


class Sources:
    """The gateways of a console; `names` are in the order in which pages list them."""

    def __init__(self, gateways: Iterable[GatewaySource]) -> None:
        self._gateways = {one.name: one for one in gateways}

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

    async def send_one(
        self,
        gateway: str,
        command: str,
        body: bytes = b"",
        *,
        process: str = "",
        seconds: float = SECONDS,
    ) -> bytes:
        """Send a command to one process: the named one, or the first that answers.

        Raises a `ConsoleProblem` (503) if none answers.
        """
        reasons: list[str] = []
        for name, path in _processes(self.get(gateway)):
            if process and name != process:
                continue
            try:
                return await _send(self.get(gateway), path, command, body, seconds)
            except ProcessCommandFailed as error:
                reasons.append(str(error))
        raise ConsoleProblem(
            503,
            f"{gateway} does not answer",
            f"{reasons[0]}." if reasons else "None of its processes runs: start it first.",
        )

    async def send_all(
        self,
        gateway: str,
        command: str,
        body: bytes | Callable[[str], bytes] = b"",
        *,
        seconds: float = SECONDS,
    ) -> ProcessAnswers:
        """Send a command to all processes of a gateway at once; those that fail are reported.

        `body` may be a function that returns the body for a process id.
        """
        source = self.get(gateway)
        processes = _processes(source)
        bodies = [body(name) if callable(body) else body for name, _ in processes]
        found = await asyncio.gather(
            *(
                _send(source, path, command, one, seconds)
                for (_, path), one in zip(processes, bodies, strict=True)
            ),
            return_exceptions=True,
        )
        answered, failed = [], []
        for (name, _), one in zip(processes, found, strict=True):
            if isinstance(one, ProcessCommandFailed):
                failed.append(ProcessFailure(name, str(one)))
            elif isinstance(one, BaseException):
                raise one
            else:
                answered.append(ProcessAnswer(name, one))
        return ProcessAnswers(answered, failed)


def _processes(source: GatewaySource) -> list[tuple[str, Path | None]]:
    """Return the process ids of a gateway and their sockets; an empty name is this process."""
    if source.folder is None:
        return [("", None)]
    return [(one.stem, one) for one in sorted(source.folder.glob("*.sock"))]


async def _send(
    source: GatewaySource, path: Path | None, command: str, body: bytes, seconds: float
) -> bytes:
    if path is not None:
        return await send_command(path, command, body, seconds=seconds)
    run = source.commands.get(command)
    if run is None:
        raise ProcessCommandFailed(f"{command}: this process has no such command")
    try:
        async with asyncio.timeout(seconds):
            return await run(body)
    except TimeoutError:
        raise ProcessCommandFailed(f"{command}: no answer within {seconds:g} s") from None
    except InvalidCommand as error:
        raise ProcessCommandFailed(f"{command}: {error}") from None
    except Exception as error:
        raise ProcessCommandFailed(f"{command}: {type(error).__name__}") from error
