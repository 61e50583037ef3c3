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
from bff_core.saga.driver import Done, Fell
from bff_core.saga.entry import Entry
from bff_core.saga.journal.interface import Journal
from bff_core.scope import Scope

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
        return await self._try(entry, key, declared.body)

    async def undo(self, step: int, entry: Entry) -> Done | Fell:
        """Run its compensation, with what the step returned."""
        declared, known = self._kind.steps[step], entry.steps[step]
        key = derived_key(entry.run, "undo", declared.name, str(known.round))
        return await self._try(entry, key, lambda s: declared.undo(s, declared.read(known.result)))

    async def _try(self, entry: Entry, key: str, body: Callable[[Kind], Any]) -> Done | Fell:
        """Try once; each try sends the same key, and has time of its own."""
        timeout = self._kind.policy.step_timeout
        scope = self._scope(entry, key, timeout)
        try:
            async with asyncio.timeout(timeout), self._build(entry, scope) as saga:
                return Done(msgspec.json.encode(await body(saga)).decode())
        except Exception as error:  # noqa: BLE001 # whatever it is, it says something of the effect
            return Fell(error, tuple(scope.unsafe_calls or ()))

    def _scope(self, entry: Entry, key: str, timeout: float) -> Scope:
        home = self._home
        return Scope(
            home.clock() + timeout,
            method="POST",
            audience=entry.audience,
            viewer=home.viewers.decode(entry.viewer),
            traceparent=entry.traceparent,
            idempotency_key=key,
            unsafe_calls=[],
        )

    def _build(self, entry: Entry, scope: Scope) -> Kind:
        told = msgspec.json.decode(entry.inputs)
        inputs = {
            field: msgspec.convert(told[field], kind)
            for field, kind in self._inputs.items()
            if field in told  # one that was added since has its default
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
