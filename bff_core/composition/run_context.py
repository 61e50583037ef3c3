"""The context that the parts of one composition share: loop, clock, events, deadline."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from bff_core.clock import Clock, monotonic
from bff_core.composition.part_status import State, severity
from bff_core.events import Events, Span

NO_SINKS = Events()


@dataclass(slots=True, eq=False)
class RunContext:
    """One run of a screen; it does not refer to its parts, so that no reference cycle remains.

    `deadline` is the request's, an instant of `clock`. With `sheds_parts` the process is
    overloaded, and parts that may be shed are left out. `edges` are pairs of part names, (waiter,
    awaited), each once, in the order in which they were first awaited. `problems` are the states
    and reasons of parts that did not end well, by name, the worst of each. `on_part_ended` is
    called with each part as it ends. `span` is the request's, if a sink traces.
    """

    title: str
    loop: asyncio.AbstractEventLoop
    clock: Clock = monotonic
    events: Events = NO_SINKS
    deadline: float = inf
    sheds_parts: bool = False
    span: Span | None = None
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    problems: dict[str, tuple[State, str]] = field(default_factory=dict)
    on_part_ended: Callable[[Any], None] | None = None

    def add_problem(self, name: str, state: State, reason: str) -> None:
        """Record a part that did not end well."""
        known = self.problems.get(name)
        if known is None or severity(state) > severity(known[0]):
            self.problems[name] = (state, reason)
