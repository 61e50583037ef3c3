"""What the processes of a gateway counted in a window of time that ends now, added up."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bff_core.observe.metrics.exposition import added_sampled_views
from bff_core.observe.metrics.occurrences import Occurrence
from bff_core.observe.metrics.samples import (
    CallStep,
    SampledView,
    Samples,
    ViewStep,
    WindowStep,
    added_calls,
    added_views,
)
from bff_core.observe.metrics.steps import STEP_SECONDS, WINDOW_SECONDS, number_of

WINDOWS: Final = (60.0, 300.0, WINDOW_SECONDS)
"""The lengths of windows that pages offer, in seconds; the longest is all that is recorded."""

DEFAULT_SECONDS: Final = 300.0

STATE_SECONDS: Final = 30.0
"""States are those of this time before the last answer: what is over does not count."""

MAX_POINTS: Final = 60
"""Points in a course."""

MIN_POINTS: Final = 12


@dataclass(slots=True)
class GatewayWindow:
    """A gateway: its steps by number, its views, and what its processes report about themselves.

    `breakers` has the worst state of each circuit breaker. `lag` is the highest of all workers,
    None without one. `occurrences` come with the process id. `length` is how many seconds figures
    cover, `started` when the gateway was first known.
    """

    gateway: str
    time: float
    length: float = DEFAULT_SECONDS
    started: float = 0.0
    steps: dict[int, WindowStep] = field(default_factory=dict)
    views: dict[str, SampledView] = field(default_factory=dict)
    upstreams: list[str] = field(default_factory=list)
    breakers: dict[str, str] = field(default_factory=dict)
    lag: float | None = None
    occurrences: list[tuple[int, Occurrence]] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        """Whether any of its processes answers."""
        return self.lag is not None

    def recent(self) -> list[WindowStep]:
        """Return the steps of the window."""
        first = number_of(self.time - self.length)
        return [step for number, step in self.steps.items() if number > first]

    def newest(self, has_some: Callable[[WindowStep], bool]) -> list[WindowStep]:
        """Return the last steps of the window that say something: what is true now.

        They are the last one that `has_some`, and those of half a minute before it.
        """
        numbers = [step.number for step in self.recent() if has_some(step)]
        first = max(numbers, default=0) - int(STATE_SECONDS / STEP_SECONDS)
        return [step for step in self.recent() if step.number > first]

    @property
    def has_answers(self) -> bool:
        """Whether any request was answered in the window."""
        return any(step.views for step in self.recent())

    @property
    def point_steps(self) -> int:
        """The steps in one point of a course."""
        return max(1, int(self.length / STEP_SECONDS) // MAX_POINTS)

    def points(self, count: int) -> list[list[WindowStep]]:
        """Return the steps of each point of a course, oldest first; the last point is partial."""
        last = number_of(self.time) // self.point_steps
        found: list[list[WindowStep]] = [[] for _ in range(count)]
        for number, step in sorted(self.steps.items()):
            place = number // self.point_steps - last + count - 1
            if 0 <= place < count:
                found[place].append(step)
        return found

    @property
    def recorded(self) -> float:
        """The seconds of the window that are recorded: fewer if the gateway is young."""
        oldest = min(self.steps, default=number_of(self.time)) * STEP_SECONDS
        since = min(self.started or oldest, oldest)
        return min(max(self.time - since, 1.0), self.length)

    @property
    def seconds(self) -> float:
        """The time that the steps of the window cover."""
        first = (number_of(self.time - self.length) + 1) * STEP_SECONDS
        return min(max(self.time - first, 1.0), self.recorded)


def recorded_by(windows: Sequence[GatewayWindow]) -> float:
    """Return the seconds that are recorded of the gateway that is known longest."""
    return max((one.recorded for one in windows), default=0.0)


def points_of(windows: Sequence[GatewayWindow]) -> list[list[WindowStep]]:
    """Return the steps of all gateways for each point of a course, as far as they are recorded."""
    if not windows:
        return []
    seconds = windows[0].point_steps * STEP_SECONDS
    wanted = math.ceil(recorded_by(windows) / seconds) + 1
    count = max(MIN_POINTS, min(MAX_POINTS, wanted))
    each = [one.points(count) for one in windows]
    return [[step for steps in parts for step in steps] for parts in zip(*each, strict=True)]


def window_of(
    gateway: str,
    samples: Sequence[Samples],
    steps: Iterable[WindowStep],
    now: float,
    length: float = DEFAULT_SECONDS,
) -> GatewayWindow:
    """Return what the processes of a gateway have counted; `steps` are those of all processes."""
    window = GatewayWindow(gateway, now, length)
    for step in steps:
        known = window.steps.get(step.number)
        window.steps[step.number] = step if known is None else _added(known, step)
    if not samples:
        return window
    window.started = min(one.started for one in samples)
    window.views = added_sampled_views(samples)
    window.upstreams = list(dict.fromkeys(name for one in samples for name in one.upstreams))
    window.lag = max(_gauge(one, "bff_loop_lag_seconds") for one in samples)
    for one in samples:
        for name, state in one.breakers.items():
            worst = max(state, window.breakers.get(name, "closed"), key=_SEVERITY.index)
            window.breakers[name] = worst
        window.occurrences += [(one.pid, each) for each in one.occurrences]
    return window


_SEVERITY: Final = ("closed", "half-open", "open")


def _gauge(samples: Samples, family: str) -> float:
    return max((value for _, value in samples.gauges.get(family, ())), default=0.0)


def _added(one: WindowStep, other: WindowStep) -> WindowStep:
    found = WindowStep(one.number, dict(one.views), dict(one.calls))
    for label, view in other.views.items():
        found.views[label] = added_views(found.views.get(label, ViewStep()), view)
    for name, calls in other.calls.items():
        found.calls[name] = added_calls(found.calls.get(name, CallStep()), calls)
    found.blames = [*one.blames, *other.blames]
    found.refused, found.joined = one.refused + other.refused, one.joined + other.joined
    return found


def view_in(steps: Iterable[WindowStep], label: str) -> ViewStep:
    """Return the answers of a view in some steps."""
    found = ViewStep()
    for step in steps:
        if (view := step.views.get(label)) is not None:
            found = added_views(found, view)
    return found


def answers_in(steps: Iterable[WindowStep]) -> ViewStep:
    """Return the answers of all routes in some steps; fields of GraphQL are those of its route."""
    found = ViewStep()
    for step in steps:
        for label, view in step.views.items():
            if is_route(label):
                found = added_views(found, view)
    return found


def calls_in(steps: Iterable[WindowStep], upstream: str = "") -> CallStep:
    """Return the calls of a service in some steps, or those of all."""
    found = CallStep()
    for step in steps:
        for name, calls in step.calls.items():
            if upstream in {"", name}:
                found = added_calls(found, calls)
    return found


def blames_in(steps: Iterable[WindowStep], view: str) -> dict[tuple[str, str, str], int]:
    """Return what spoilt answers of a view in some steps: part, service and reason."""
    found: dict[tuple[str, str, str], int] = {}
    for step in steps:
        for blamed, count in step.blames:
            if blamed.view == view:
                key = blamed.part, blamed.upstream, blamed.reason
                found[key] = found.get(key, 0) + count
    return found


def is_route(label: str) -> bool:
    """Whether a view is a route, and no field of GraphQL."""
    return not label.startswith(("query ", "mutation "))


def course(
    points: Sequence[Sequence[WindowStep]], value: Callable[[Sequence[WindowStep]], float | None]
) -> list[float | None]:
    """Return a value for each point of a course; None for points without steps."""
    return [value(steps) if steps else None for steps in points]
