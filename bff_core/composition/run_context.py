"""What the parts of one composition share: loop, clock, events, deadline."""

import asyncio

from bff_core.clock import Clock
from bff_core.composition.part_status import State, is_worse
from bff_core.events import Events


class RunContext:
    """One run of a screen; it does not refer to its parts, so that no reference cycle remains.

    `deadline` is the request's, an instant of `clock`. `edges` are pairs of part names, (waiter,
    awaited), each once, in the order of their first mention. `problems` are the states and reasons
    of parts that did not end well, by name, the worst of each. `is_dimmed` says that the
    process is overloaded, so that parts that may be shed are left out.
    """

    __slots__ = ("clock", "deadline", "edges", "events", "is_dimmed", "loop", "problems", "title")

    def __init__(
        self,
        title: str,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        events: Events,
        deadline: float,
        is_dimmed: bool = False,
    ) -> None:
        self.title = title
        self.loop = loop
        self.clock = clock
        self.events = events
        self.deadline = deadline
        self.is_dimmed = is_dimmed
        self.edges: dict[tuple[str, str], None] = {}
        self.problems: dict[str, tuple[State, str]] = {}

    def note(self, name: str, state: State, reason: str) -> None:
        """Record how a part ended that did not end well."""
        known = self.problems.get(name)
        if known is None or is_worse(state, known[0]):
            self.problems[name] = (state, reason)
