"""What the steps of a saga run on: instances of its class, each with a scope of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from bff_core.clock import Chance, Clock
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.policy.idempotency import derived_key
from bff_core.saga.driver import Done, Fell, NotDone
from bff_core.saga.entry import Entry
from bff_core.saga.journal.interface import Journal
from bff_core.saga.results import to_model
from bff_core.scope import Scope, StepTry

Kind = Any
"""A class of sagas; `saga.py` builds on this module."""


class Viewers(Protocol):
    """How viewers are written down without what proves who they are."""

    def encode(self, viewer: object, /) -> str:
        """Return what may stand in a journal."""
        ...

    def rights(self, viewer: object, /) -> str:
        """Return a digest of what the viewer may do."""
        ...

    def decode(self, text: str, /) -> object:
        """Return the viewer that it names."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a desk works with: the gateway's own."""

    wiring: Wiring
    journal: Journal
    viewers: Viewers
    spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]]
    clock: Clock
    wall: Clock
    chance: Chance
    events: Events
    lease: float
    name: str


class Steps:
    """The steps of one saga, each on an instance of its own with a scope of its own."""

    def __init__(self, kind: Kind, inputs: Mapping[str, object], home: Surroundings) -> None:
        self._kind = kind
        self._inputs = inputs
        self._home = home

    async def do(self, step: int, entry: Entry) -> Done | Fell:
        """Run a step."""
        declared = self._kind.steps[step]
        key = derived_key(entry.run, declared.name, str(entry.steps[step].round))
        needs = "" if declared.lookup is not None else self._name(declared.name)
        trial = StepTry(needs_keys=needs)
        return await self._try(entry, declared.body, trial, key, write=declared.write)

    async def undo(self, step: int, entry: Entry) -> Done | Fell:
        """Run its compensation, with what the step returned."""
        declared, known = self._kind.steps[step], entry.steps[step]
        key = derived_key(entry.run, "undo", declared.name, str(known.round))
        has_check = declared.undo_lookup is not None or declared.lookup is not None
        needs = "" if has_check else self._name(declared.undo.__name__)
        return await self._try(
            entry,
            lambda s: declared.undo(s, declared.read(known.result)),
            StepTry(needs_keys=needs),
            key,
        )

    async def find(self, step: int, entry: Entry) -> Done | NotDone | Fell:
        """Let the step's check find out whether it happened."""
        declared = self._kind.steps[step]

        async def result(saga: Kind) -> object:
            found = await declared.lookup(saga)
            if found is not None:
                declared.read(write(found))  # raises where the step returns no such
            return found

        def write(found: object) -> str:
            return "null" if found is None else declared.write(found)

        found = await self._try(entry, result, StepTry(is_check=True), write=write)
        return NotDone() if found == Done("null") else found

    async def find_undone(self, step: int, entry: Entry) -> Done | NotDone | Fell | None:
        """Let a check find out whether the step is undone; None where it can't tell.

        Where the compensation has no check, that of the step is believed as far as it can know:
        what is not there is undone, but what is there may be undone, too, as a refunded payment.
        """
        declared, known = self._kind.steps[step], entry.steps[step]
        if declared.undo_lookup is None:
            found = await self.find(step, entry)
            if isinstance(found, Done):
                return None
            return Done() if isinstance(found, NotDone) else found

        async def is_undone(saga: Kind) -> bool:
            found = await declared.undo_lookup(saga, declared.read(known.result))
            if not isinstance(found, bool):
                raise TypeError(f"{declared.undo_lookup.__qualname__} has to return True or False")
            return found

        found = await self._try(entry, is_undone, StepTry(is_check=True))
        return NotDone() if found == Done("false") else found

    def _name(self, step: str) -> str:
        return f"{self._kind.__name__}.{step}"

    async def _try(
        self,
        entry: Entry,
        body: Callable[[Kind], Any],
        step: StepTry,
        key: str = "",
        *,
        write: Callable[[Any], str] = lambda value: msgspec.json.encode(value).decode(),
    ) -> Done | Fell:
        """Try once; each try sends the same key, and has time of its own."""
        timeout = self._kind.policy.step_timeout
        scope = self._scope(entry, key, timeout, step)
        try:
            async with asyncio.timeout(timeout), self._build(entry, scope) as saga:
                return Done(write(await body(saga)))
        except Exception as error:  # noqa: BLE001 # whatever it is, it says something of the effect
            return Fell(error, tuple(step.unsafe_calls))

    def _scope(self, entry: Entry, key: str, timeout: float, step: StepTry) -> Scope:
        home = self._home
        return Scope(
            home.clock() + timeout,
            method="POST",
            audience=entry.audience,
            viewer=home.viewers.decode(entry.viewer),
            traceparent=entry.traceparent,
            idempotency_key=key,
            step=step,
        )

    def _build(self, entry: Entry, scope: Scope) -> Kind:
        stored = msgspec.json.decode(entry.inputs)
        inputs = {
            field: msgspec.convert(stored[field], kind, dec_hook=to_model)
            for field, kind in self._inputs.items()
            if field in stored  # one that was added since has its default
        }
        saga = self._home.wiring.build(self._kind, scope, inputs)
        saga.remember(results_of(self._kind, entry))
        return saga


def results_of(kind: Kind, entry: Entry) -> dict[str, object]:
    """Return what the steps of an entry returned, as the class has them."""
    return {
        step.name: declared.read(step.result)
        for step, declared in zip(entry.steps, kind.steps, strict=True)
        if step.result
    }
