"""How a step, its compensation or its check runs: on a new instance, with a scope of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from bff_core.call import Call
from bff_core.clock import Chance, Clock
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.policy.edge.idempotency import derived_key
from bff_core.saga.journal.interface import Journal
from bff_core.saga.record import SagaRecord
from bff_core.saga.results import to_model
from bff_core.scope import NO_CACHE, Scope, StepTry, current_request

Kind = Any
"""A class of sagas; `saga.py` builds on this module."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed attempt, and the calls that it made beyond plain reads."""

    error: Exception
    unsafe_calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Done:
    """A successful attempt, and the result of the step as JSON."""

    result: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """The result of a check that found no effect of the step."""


class EncodesViewers(Protocol):
    """Encodes viewers for a journal, without credentials."""

    def encode(self, viewer: object, /) -> str:
        """Return a viewer as text."""
        ...

    def rights(self, viewer: object, /) -> str:
        """Return the digest of a viewer's rights."""
        ...

    def decode(self, text: str, /) -> object:
        """Return the viewer of a text."""
        ...


@dataclass(frozen=True, slots=True)
class SagaResources:
    """The resources of the gateway that a coordinator uses."""

    wiring: Wiring
    journal: Journal
    viewers: EncodesViewers
    spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]]
    clock: Clock
    wall: Clock
    chance: Chance
    events: Events
    lease: float
    name: str


class StepRunner:
    """Runs the steps of one saga, each attempt on a new instance with a scope of its own."""

    def __init__(self, kind: Kind, inputs: Mapping[str, object], resources: SagaResources) -> None:
        self._kind = kind
        self._inputs = inputs
        self._resources = resources

    async def do(self, step: int, record: SagaRecord) -> Done | Failed:
        """Run a step."""
        declared = self._kind.steps[step]
        key = derived_key(record.run, declared.name, str(record.steps[step].round))
        step_name = "" if declared.lookup is not None else self._name(declared.name)
        attempt = StepTry(needs_keys=step_name)
        return await self._attempt(record, declared.body, attempt, key, write=declared.write)

    async def undo(self, step: int, record: SagaRecord) -> Done | Failed:
        """Run the compensation of a step with the result of the step."""
        declared, step_record = self._kind.steps[step], record.steps[step]
        key = derived_key(record.run, "undo", declared.name, str(step_record.round))
        has_check = declared.undo_lookup is not None or declared.lookup is not None
        step_name = "" if has_check else self._name(declared.undo.__name__)
        return await self._attempt(
            record,
            lambda s: declared.undo(s, declared.read(step_record.result)),
            StepTry(needs_keys=step_name),
            key,
        )

    async def find(self, step: int, record: SagaRecord) -> Done | NotDone | Failed:
        """Run the check of a step: find out whether the step took effect."""
        declared = self._kind.steps[step]

        async def result(saga: Kind) -> object:
            found = await declared.lookup(saga)
            if found is not None:
                declared.read(write(found))  # raises if it is not of the step's type
            return found

        def write(found: object) -> str:
            return "null" if found is None else declared.write(found)

        found = await self._attempt(record, result, StepTry(is_check=True), write=write)
        return NotDone() if found == Done("null") else found

    async def find_undone(self, step: int, record: SagaRecord) -> Done | NotDone | Failed | None:
        """Find out by a check whether a step is compensated; return None if it can't decide that.

        If the compensation has no check, the check of the step decides where it can: a step without
        an effect is compensated, but one with an effect may be compensated too, like a refunded
        payment.
        """
        declared, step_record = self._kind.steps[step], record.steps[step]
        if declared.undo_lookup is None:
            found = await self.find(step, record)
            if isinstance(found, Done):
                return None
            return Done() if isinstance(found, NotDone) else found

        async def is_undone(saga: Kind) -> bool:
            found = await declared.undo_lookup(saga, declared.read(step_record.result))
            if not isinstance(found, bool):
                raise TypeError(f"{declared.undo_lookup.__qualname__} has to return True or False")
            return found

        found = await self._attempt(record, is_undone, StepTry(is_check=True))
        return NotDone() if found == Done("false") else found

    def _name(self, step: str) -> str:
        return f"{self._kind.__name__}.{step}"

    async def _attempt(
        self,
        record: SagaRecord,
        body: Callable[[Kind], Any],
        step: StepTry,
        key: str = "",
        *,
        write: Callable[[Any], str] = lambda value: msgspec.json.encode(value).decode(),
    ) -> Done | Failed:
        """Run one attempt with a timeout of its own; all attempts send the same key."""
        timeout = self._kind.policy.step_timeout
        scope = self._scope(record, key, timeout, step)
        try:
            async with asyncio.timeout(timeout), self._build(record, scope) as saga:
                return Done(write(await body(saga)))
        except Exception as error:  # noqa: BLE001 # any error decides about the effect
            return Failed(error, tuple(step.unsafe_calls))

    def _scope(self, record: SagaRecord, key: str, timeout: float, step: StepTry) -> Scope:
        resources, request = self._resources, current_request.get()
        return Scope(
            resources.clock() + timeout,
            method="POST",
            audience=record.audience,
            viewer=resources.viewers.decode(record.viewer),
            traceparent=record.traceparent,
            idempotency_key=key,
            step=step,
            cache_control=NO_CACHE if step.is_check else (),
            traffic=None if request is None else request.traffic,
        )

    def _build(self, record: SagaRecord, scope: Scope) -> Kind:
        stored_inputs = msgspec.json.decode(record.inputs)
        inputs = {
            field: msgspec.convert(stored_inputs[field], kind, dec_hook=to_model)
            for field, kind in self._inputs.items()
            if field in stored_inputs  # an input added since has its default
        }
        saga = self._resources.wiring.build(self._kind, scope, inputs)
        saga.remember(results_of(self._kind, record))
        return saga


def results_of(kind: Kind, record: SagaRecord) -> dict[str, object]:
    """Return the results of a record's steps, decoded to the types of the class."""
    return {
        step.name: declared.read(step.result)
        for step, declared in zip(record.steps, kind.steps, strict=True)
        if step.result
    }
