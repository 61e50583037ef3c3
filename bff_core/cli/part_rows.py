"""The rows of parts and calls in an explanation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isinf

from rich.text import Text

from bff_core.inspection.explanation import (
    Explanation,
    Shown,
    Use,
    awaited_by,
    own_calls,
    own_unknowns,
    plan_of,
)
from bff_core.inspection.repetition import ONCE, Times
from bff_core.inspection.steps import PartRef, Request, SagaRun

Row = Sequence[Text]

FAILS = {
    "bulk": "its item says so",
    "step": "",
}
"""What happens if a part without a fallback fails; for other kinds the answer fails."""


@dataclass(slots=True)
class PartRows:
    """Makes rows: the part, what replaces it if it fails, its calls, how long it may take.

    A part that only other parts await has a row below the first of these.
    """

    found: Explanation
    shown: set[PartRef] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.shown = {one.what for one in self.found.uses if isinstance(one.what, PartRef)}

    def of(self, use: Use) -> Iterator[Row]:
        """Yield the rows of one use."""
        what, suffix = use.what, suffix_of(use)
        if isinstance(what, PartRef):
            yield from self._part(what, suffix)
        elif isinstance(what, SagaRun):
            tries = f"its steps in order, each with up to {what.saga.policy.tries} tries"
            name = Text(f"{what.saga.__name__} (saga)")
            yield [name, Text("its steps are undone"), Text(tries, "dim"), Text("the request")]
            for step in what.saga.steps:
                yield from self._part(PartRef(what.saga, step.name, "step"), "", indent="  ")
        elif isinstance(what, Request):
            where = "resolver" if self.found.route.kind == "field" else "view"
            name = Text(f"(the {where} itself){suffix}", "dim")
            yield [
                name,
                Text("the answer fails"),
                Text(call_text(what, use.times)),
                self._at_most(what, use.times),
            ]
        else:
            yield [Text("unknown", "yellow"), Text(), Text(what.reason), Text()]

    def _part(self, part: PartRef, suffix: str, indent: str = "") -> Iterator[Row]:
        plan = plan_of(part)
        fails = plan.fallback or FAILS.get(part.kind, "the answer fails")
        waits = awaited_by(part)
        calls = [Text(f"waits for {', '.join(one.name for one in waits)}", "dim")] if waits else []
        calls += [Text(call_text(one, times)) for one, times in own_calls(part)]
        if own_unknowns(part):
            calls.append(Text("unknown: see below", "yellow"))
        style = "bold" if part.kind == "critical" else ""
        first = calls[0] if calls else Text()
        name = Text(f"{indent}{part.name}{suffix}", style)
        yield [name, Text(fails, style), first, self._at_most(part)]
        yield from ([Text(), Text(), one, Text()] for one in calls[1:])
        for one in waits:
            if one not in self.shown and one.kind != "step":
                self.shown.add(one)
                yield from self._part(one, "", f"{indent}  ")

    def _at_most(self, what: Shown, times: Times = ONCE) -> Text:
        seconds = self.found.at_most(what, times)
        return Text("the request" if isinf(seconds) else f"{seconds:g} s")

    def fields(self, use: Use) -> Iterator[dict[str, object]]:
        """Yield the same as JSON."""
        what, seconds = use.what, self.found.at_most(use.what, use.times)
        common = {
            "stage": use.stage,
            "is_certain": use.is_certain,
            "is_repeated": use.is_repeated,
            "at_most": None if isinf(seconds) else seconds,
        }
        if isinstance(what, PartRef):
            yield {**part_fields(what), **common}
        elif isinstance(what, SagaRun):
            for step in what.saga.steps:
                yield {**part_fields(PartRef(what.saga, step.name, "step")), **common}
        elif isinstance(what, Request):
            yield {"part": None, "kind": "call", "calls": [call_fields(what, use.times)], **common}
        else:
            yield {"part": None, "kind": "unknown", "calls": [], **common}


def suffix_of(use: Use) -> str:
    """Return what is special about a use, in parentheses."""
    notes = [] if use.is_certain else ["maybe"]
    notes += ["for each item"] if use.is_repeated else []
    return f" ({', '.join(notes)})" if notes else ""


def part_fields(part: PartRef) -> dict[str, object]:
    """Return a part as JSON."""
    plan = plan_of(part)
    return {
        "part": part.name,
        "screen": part.screen.__name__,
        "kind": part.kind,
        "about": plan.about,
        "timeout": plan.timeout,
        "fallback": plan.fallback or None,
        "waits_for": [one.name for one in awaited_by(part)],
        "calls": [call_fields(one, times) for one, times in own_calls(part)],
        "unknown": [one.reason for one in own_unknowns(part)],
    }


def call_fields(one: Request, times: Times) -> dict[str, object]:
    """Return a call as JSON."""
    return {
        "service": one.service.name,
        "client_method": one.via or None,
        "method": one.verb or None,
        "path": one.path or None,
        "is_stream": one.is_stream,
        "most_calls": times.at_most,
        "once_per": list(times.units),
    }


def call_text(one: Request, times: Times = ONCE) -> str:
    """Return a call in a line: its service, its method, its path, and how often it is sent."""
    often = "" if times.is_once else f", {times}"
    return f"{one.service.name}  {one}{', a stream' if one.is_stream else ''}{often}"
