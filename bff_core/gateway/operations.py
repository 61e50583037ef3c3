"""Runs what operators do in all processes of a gateway, and reports it: the audit log."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bff_core.admin.operations import Operation, OperationResult, PurgeTags, ResumeSaga
from bff_core.cache.response_cache import NO_CACHE
from bff_core.errors import BFFError, ClientError, InvalidInput
from bff_core.events import Events, OperatorActed
from bff_core.gateway.running import RunningGateway
from bff_core.observe.process_socket import (
    SOCKETS_VARIABLE,
    ProcessCommandFailed,
    send_command,
    sockets_in,
)
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.record import step_states
from bff_core.upstream.operations import (
    CloseCircuit,
    EjectEndpoint,
    OpenCircuit,
    RestoreEndpoint,
    operate,
)

ACT_HERE: Final = "operator.act_here"
"""The command by which a process lets its siblings do the same."""

GREETING_SECONDS: Final = 1.0
"""How long an operation waits for another process whose event loop may be blocked."""

SIBLING_SECONDS: Final = 2.0
"""How long another process may take; the console waits longer for what all say."""

OPERATOR: Final = "operator"
"""The actor of what is done with the operator's token."""

NO_SAGAS: Final = "This gateway has no sagas: list them in gateway(..., sagas=[...])."


class ActedHere(msgspec.Struct):
    """The answer of one process: whether it `changed` something, or why it could not."""

    changed: bool = False
    refusal: str = ""


class OperatorActions:
    """Does what operators demand in the processes of one gateway.

    Processes that start later don't know of it: the console then says in how many it is.
    `environ` names the folder of their sockets.
    """

    def __init__(
        self,
        running: Callable[[], RunningGateway],
        events: Events,
        *,
        has_shared_cache: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._has_shared_cache = has_shared_cache
        self._running = running
        self._events = events
        self._environ = environ

    async def audited(self, operation: Operation) -> OperationResult:
        """Do it in all processes for an admin endpoint, and emit `OperatorActed`.

        It is emitted as well if the request ends before all processes answered. Raises the
        `ClientError` of this process if none could do it.
        """
        subject, action = _described(operation)
        outcome = f"{action}: its end is unknown."
        try:
            result = await self.everywhere(operation)
            outcome = result.action
        except ClientError:
            outcome = ""  # nothing was changed
            raise
        finally:
            if outcome and self._events.sinks:
                self._events.emit(OperatorActed(OPERATOR, "", subject, outcome))
        return result

    async def everywhere(self, operation: Operation) -> OperationResult:
        """Do it in all processes; the console, which calls it, reports it.

        Raises the `ClientError` of this process if none could do it.
        """
        refusal: ClientError | None = None
        try:
            answers = [ActedHere(await self.here(operation))]
        except ClientError as error:
            refusal, answers = error, [ActedHere(refusal=_named(os.getpid(), error))]
        if not self._is_for_all(operation):
            answers += await self._siblings(msgspec.json.encode(operation))
        done = [one for one in answers if not one.refusal]
        if refusal is not None and not done:
            raise refusal
        failed = [one.refusal for one in answers if one.refusal]
        changed = sum(one.changed for one in done)
        subject, action = _described(operation)
        if len(answers) > 1:
            action += f" in {len(done)} of {len(answers)} processes"
        if not changed:
            action += ", which changed nothing"
        return OperationResult(len(done), changed, subject, f"{action}.", failed)

    async def after_purge(self, tags: Sequence[str]) -> None:
        """Purge tags in the other processes, too, and emit `OperatorActed`."""
        operation = PurgeTags(list(tags))
        if not self._is_for_all(operation):
            await self._siblings(msgspec.json.encode(operation))
        subject, action = _described(operation)
        if self._events.sinks:
            self._events.emit(OperatorActed(OPERATOR, "", subject, f"{action}."))

    def _is_for_all(self, operation: Operation) -> bool:
        """Whether what one process does takes effect in all: it changes a shared store."""
        is_purge = isinstance(operation, PurgeTags)
        return isinstance(operation, ResumeSaga) or (is_purge and self._has_shared_cache)

    async def here(self, operation: Operation) -> bool:
        """Do it in this process; return False if there was nothing to do."""
        running = self._running()
        match operation:
            case PurgeTags():
                if running.shared.cache is None:
                    raise InvalidInput(f"{NO_CACHE[0].upper()}{NO_CACHE[1:]}.")
                return bool(await running.shared.cache.purge(*operation.tags, by="operator"))
            case ResumeSaga():
                await self._sagas().resume(operation.id)
                return True
        return operate(running.stacks, operation)

    async def answer_sibling(self, body: bytes) -> bytes:
        """Do what another process of the gateway sends."""
        try:
            acted = ActedHere(await self.here(msgspec.json.decode(body, type=Operation)))
        except BFFError as error:
            acted = ActedHere(refusal=str(error))
        return msgspec.json.encode(acted)

    async def upstreams(self) -> Mapping[str, object]:
        """Return the state of all services in this process, for the admin endpoint."""
        states = [stack.state() for stack in self._running().stacks]
        return {"process": os.getpid(), "upstreams": msgspec.to_builtins(states)}

    async def sagas(self) -> Mapping[str, object]:
        """Return the sagas that have not ended, for the admin endpoint."""
        rows = [
            {
                "id": one.record.id,
                "saga": one.record.saga,
                "direction": one.record.direction,
                "created_at": round(one.record.created),
                "is_running": one.is_leased,
                "next_try_in": None if one.is_leased else round(max(0.0, one.due_in), 1),
                "steps": step_states(one.record),
            }
            for one in await self._sagas().open_sagas()
        ]
        return {"sagas": rows}

    def _sagas(self) -> SagaCoordinator:
        sagas = self._running().sagas
        if sagas is None:
            raise InvalidInput(NO_SAGAS)
        return sagas

    async def _siblings(self, body: bytes) -> list[ActedHere]:
        """Send it to the other processes of the gateway."""
        paths = _siblings_in(self._environ.get(SOCKETS_VARIABLE, ""))
        return list(await asyncio.gather(*(_sent(path, body) for path in paths)))


def _described(operation: Operation) -> tuple[str, str]:
    """Return the subject of an operation, and what is done to it."""
    match operation:
        case OpenCircuit():
            return operation.upstream, f"Opened the circuit for {operation.seconds:g} s"
        case CloseCircuit():
            return operation.upstream, "Closed the circuit"
        case EjectEndpoint():
            action = f"Ejected {operation.endpoint} for {operation.seconds:g} s"
            return operation.upstream, action
        case RestoreEndpoint():
            return operation.upstream, f"Restored {operation.endpoint}"
        case PurgeTags():
            tags = operation.tags
            return ", ".join(tags[:3]), "Purged the tag" if len(tags) == 1 else "Purged the tags"
    return operation.id, "Resumed the saga"


def _siblings_in(folder: str) -> list[Path]:
    """Return the sockets of the other processes of the gateway."""
    found = sockets_in(Path(folder)) if folder else {}
    return [path for pid, path in found.items() if pid != os.getpid()]


async def _sent(path: Path, body: bytes) -> ActedHere:
    try:
        answered = await send_command(
            path, ACT_HERE, body, seconds=SIBLING_SECONDS, greeting_seconds=GREETING_SECONDS
        )
        acted = msgspec.json.decode(answered, type=ActedHere)
    except ProcessCommandFailed as error:
        return ActedHere(refusal=_named(path.stem, error))
    return ActedHere(acted.changed, _named(path.stem, acted.refusal) if acted.refusal else "")


def _named(process: object, reason: object) -> str:
    """Return why a process could not do it, with its id."""
    return f"process {process}: {reason}"
