"""Learns which part each place of an answer comes from, by runs with one part's value changed.

Each run has the recorded values of all parts but one, in which all texts, numbers or truth values
are marked: the places that differ then come from that part. What is computed of several parts, or
of none, stays unknown. A list or an object comes from the first part without which it is shorter or
empty, or from the part that everything within it comes from.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import thread_time
from typing import Any, Final

from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.origins.json_places import Json, Place, changed, is_leaf, pattern, places
from bff_core.console.origins.marked_values import (
    KINDS,
    Kind,
    is_marked,
    lists_of,
    marked,
    places_of,
    shortened,
)
from bff_core.console.origins.rerun import Alter, GivenValues, Values, recorded_values
from bff_core.console.sandbox.sandbox import Sandbox, SandboxAnswer, SandboxRequest
from bff_core.gateway.recorded_parts import Composed

UNKNOWN: Final = ""
"""The part of a place whose part is not known."""

MAX_RUNS: Final = 400
MAX_SECONDS: Final = 3.0
"""Runs for one request, each of one or two milliseconds, and seconds of the processor for all."""


@dataclass(frozen=True, slots=True)
class Learned:
    """The part of each pattern of an answer, `UNKNOWN` for some; a pattern covers those below it.

    `edges` are pairs of parts: the second one gets arguments or keys that the first one returned.
    Patterns that are not in `known` were not in the answer that it was learned from: nothing is
    known of them; None stands for all. It is not complete if a part failed while it was learned.
    """

    parts: Mapping[str, str]
    edges: frozenset[tuple[str, str]] = frozenset()
    is_complete: bool = True
    known: frozenset[str] | None = None


async def learn(
    sandbox: Sandbox,
    request: SandboxRequest,
    composed: Sequence[Composed],
    *,
    max_runs: int = MAX_RUNS,
    max_seconds: float = MAX_SECONDS,
) -> Learned | None:
    """Return what is learned of a request that only reads; None if it is not answered with JSON.

    None also if it takes too many runs: of some of them a part might be wrong.

    `composed` are the compositions of its usual answer. No service is called.
    """
    runs = _Runs(sandbox, request, recorded_values(composed), max_runs, thread_time() + max_seconds)
    usual = await runs.send(lambda _, value: value)
    base = json_of(usual)
    again = await runs.answer(lambda _, value: value)
    if base is None or again is None:
        return None
    names = list(dict.fromkeys(part.name for part in usual.parts))
    evidence = _Evidence(names)
    for name in names:
        for kind in KINDS:
            evidence.add_leaves(name, await runs.marked_places(base, name, kind))
        lists = dict.fromkeys(at for one in runs.values_of(name) for at in lists_of(one))
        for alter in (_emptying(name), *(_shortening(name, at) for at in lists)):
            found = await runs.answer(alter)
            if found is not None:
                evidence.add_containers(name, changed(base, found))
    if runs.is_over:
        return None
    for place, _, _ in changed(base, again):  # such as the time, or a random number
        evidence.add_leaves(UNKNOWN, [place])
    parts = (part for _, one in composed for part in one.started.values())
    is_complete = all(part.is_done and part.state in {"ok", "stale"} for part in parts)
    known = frozenset(pattern(place) for place, _ in places(base))
    return Learned(evidence.decide(base), frozenset(runs.edges), is_complete, known)


def json_of(answer: SandboxAnswer) -> Json:
    """Return the body of an answer with the status 200; None for any other."""
    if answer.status != 200:
        return None
    try:
        found: Json = decode_foreign(answer.body)
    except NotDecoded:
        return None
    return found


def _emptying(name: str) -> Alter:
    """Return a function that takes away what a part returned."""

    def alter(part: str, value: Any) -> Any:
        if part != name:
            return value
        if isinstance(value, Mapping):
            return {}
        return () if isinstance(value, list | tuple) else None

    return alter


def _shortening(name: str, at: str) -> Alter:
    """Return a function that takes away all but one item of the lists at a place of a part."""
    return lambda part, value: shortened(value, at) if part == name else value


@dataclass(slots=True)
class _Runs:
    """The runs of one request on its recorded values."""

    sandbox: Sandbox
    request: SandboxRequest
    record: Sequence[Values]
    left: int
    until: float
    edges: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether there were too many runs, or they took too long."""
        return self.left < 0 or thread_time() > self.until

    def values_of(self, name: str) -> list[Any]:
        """Return the recorded values of a part: one for each of its runs, or of its batches."""
        return [
            value
            for record in self.record
            for key, value in record.items()
            if (key[0] if isinstance(key, tuple) else key) == name
        ]

    async def send(self, alter: Alter) -> SandboxAnswer:
        """Send the request again, whose parts get altered values."""
        return await self.sandbox.send(self.request, make=GivenValues(self.record, alter))

    async def answer(self, alter: Alter, source: str = "") -> Json:
        """Return the answer of a run; None if it fails. `source` is the part that is marked."""
        self.left -= 1
        if self.is_over:
            return None
        await asyncio.sleep(0)  # others are served in between
        answer = await self.send(alter)
        if source:
            self.edges.update((source, name) for name in _with_marked_arguments(answer))
        return json_of(answer)

    async def marked_places(self, base: Json, name: str, kind: Kind) -> list[Place]:
        """Return the places that differ if everything of a kind in the value of a part is marked.

        If the answer has another structure then, each place of the value is marked in turn.
        """
        found = await self._differences(base, name, kind, None)
        if found is not None:
            return found
        each = dict.fromkeys(
            place for one in self.values_of(name) for place in places_of(one, kind)
        )
        collected: list[Place] = []
        for only in each:
            collected += await self._differences(base, name, kind, only) or ()
        return list(dict.fromkeys(collected))

    async def _differences(
        self, base: Json, name: str, kind: Kind, only: str | None
    ) -> list[Place] | None:
        """Return the places that differ; None if the run fails, or lists and objects differ."""

        def alter(part: str, value: Any) -> Any:
            return marked(value, kind, only) if part == name else value

        found = await self.answer(alter, name)
        if found is None:
            return None
        differences = list(changed(base, found))
        if any(not (is_leaf(old) and is_leaf(new)) or new is None for _, old, new in differences):
            return None
        return [place for place, _, _ in differences]


def _with_marked_arguments(answer: SandboxAnswer) -> Iterator[str]:
    """Yield the parts that got a marked argument, and the loaders that got a marked key."""
    for _, registry in answer.composed:
        for key, part in registry.started.items():
            if isinstance(key, tuple) and any(map(is_marked, key)):
                yield part.name
        for name, keys in registry.loaders.items():
            if any(map(is_marked, getattr(keys, "known", ()))):
                yield name


@dataclass(slots=True)
class _Evidence:
    """What the runs have shown: `leaves` and `containers` map patterns to parts.

    `names` are the parts in the order in which they start. `below` maps patterns to the parts of
    what is within them; `filled` are the patterns that have a value anywhere. `counted` are values
    that differ without a part, such as the number of its items.
    """

    names: Sequence[str]
    leaves: dict[str, set[str]] = field(default_factory=dict)
    containers: dict[str, set[str]] = field(default_factory=dict)
    counted: dict[str, set[str]] = field(default_factory=dict)
    below: dict[str, set[str]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)

    def add_leaves(self, name: str, found: Iterable[Place]) -> None:
        """Add places that differ if a part has another value."""
        for place in found:
            self.leaves.setdefault(pattern(place), set()).add(name)

    def add_containers(self, name: str, found: Iterable[tuple[Place, Json, Json]]) -> None:
        """Add the places that are empty, shorter or another value without items of a part."""
        for place, before, after in found:
            is_empty = isinstance(before, list | dict) and not after and after is not False
            if is_empty or (isinstance(before, list) and isinstance(after, list)):
                self.containers.setdefault(pattern(place), set()).add(name)
            elif is_leaf(before) and is_leaf(after):
                self.counted.setdefault(pattern(place), set()).add(name)

    def decide(self, base: Json) -> dict[str, str]:
        """Return the part of each pattern, without those that the one around it has as well."""
        self._collect(base)
        decided: dict[str, str] = {}
        around: dict[str, str] = {"": UNKNOWN}
        for place, value in places(base):
            here = pattern(place)
            if here in around:
                continue
            outer = pattern(place[:-1])
            around[here] = owner = self._part_of(here, value, outer, around[outer])
            if owner != around[outer]:
                decided[here] = owner
        return decided

    def _collect(self, base: Json) -> None:
        """Note which parts are below each pattern, and which patterns ever have a value."""
        for place, value in places(base):
            here = pattern(place)
            if value not in (None, [], {}):
                self.filled.add(here)
            for length in range(len(place)):
                self.below.setdefault(pattern(place[:length]), set()).update(
                    self.leaves.get(here, ())
                )

    def _part_of(self, here: str, value: Json, outer: str, part: str) -> str:
        """Return the part of a pattern; `part` is that of `outer`, the pattern around it."""
        if found := self.containers.get(here):
            return next(name for name in self.names if name in found)
        if below := self.below.get(here):
            return next(iter(below)) if len(below) == 1 else part
        if known := self.leaves.get(here) or self.counted.get(here):
            return next(iter(known)) if len(known) == 1 else UNKNOWN
        if is_leaf(value) and (here in self.filled or self.below.get(outer) != {part}):
            return UNKNOWN  # a constant, or something that is always null beside several parts
        return part
