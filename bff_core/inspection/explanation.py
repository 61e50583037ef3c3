"""What one request to a route needs: its parts, their order, their calls, their time at most."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bff_core.gateway.app import Gateway
from bff_core.inspection.policy_sources import EffectiveOption, options_in_effect
from bff_core.inspection.reader import PartPlan, parts_of
from bff_core.inspection.repetition import ONCE, Times
from bff_core.inspection.routes import SHARED_BY, RouteDescription
from bff_core.inspection.steps import (
    InOrder,
    Maybe,
    PartRef,
    PartStart,
    PartWait,
    Repeated,
    Request,
    SagaRun,
    ScreenMade,
    Step,
    Together,
    Unknown,
    leaves,
)
from bff_core.inspection.worst_case import Moment, Timeline, worst_case
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream

Shown = PartRef | Request | SagaRun | Unknown
"""What a row of an explanation is about."""


@dataclass(frozen=True, slots=True)
class Use:
    """A part, a call or a saga in the order of a request.

    Those of one `stage` run at the same time; the stages run one after the other. `is_certain` is
    whether every request needs it, `is_repeated` whether it runs once for each of several items,
    `times` how often.
    """

    what: Shown
    stage: int
    is_certain: bool = True
    is_repeated: bool = False
    times: Times = ONCE


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a gateway answers a request to one route, as far as code and settings say."""

    route: RouteDescription
    step: Step
    uses: tuple[Use, ...]
    policies: Mapping[type[Upstream], Policy]
    limit: float
    worst: Moment
    options: Mapping[type[Upstream], Sequence[EffectiveOption]]

    def at_most(self, what: Shown, times: Times = ONCE) -> float:
        """Return how many seconds a row may take; infinite if nothing but the request ends it."""
        timeline = Timeline(self.policies, self.limit)
        if isinstance(what, Request):
            seconds = timeline.call_seconds(what) * times.factor if times.factor else 0.0
            return seconds if seconds < self.limit or times.is_once else float("inf")
        return timeline.duration(what) if isinstance(what, PartRef) else float("inf")

    @property
    def requests(self) -> list[Request]:
        """All requests to services that the route may send, each once."""
        return requests_of(self.step)

    @property
    def uncached(self) -> list[str]:
        """The services whose replies are not cached, so that no answer with them is stored."""
        return _uncached(self.step, self.policies)


def unstored_because_of(app: Gateway, route: RouteDescription) -> list[str]:
    """Return the services whose replies keep an answer of the route out of its view cache."""
    if route.cache in {"", SHARED_BY[None]}:
        return []
    return _uncached(route.find_step(), app.config.policies.read())


def _uncached(step: Step, policies: Mapping[type[Upstream], Policy]) -> list[str]:
    kinds = dict.fromkeys(one.service for one in requests_of(step))
    return [kind.name for kind in kinds if policies.get(kind, kind.policy).cache is None]


def explain(app: Gateway, route: RouteDescription) -> Explanation:
    """Return how a gateway answers a request to one of its routes."""
    policies, step = app.config.policies.read(), route.find_step()
    kinds = dict.fromkeys(one.service for one in requests_of(step))
    limit = app.edge_options.timeout
    return Explanation(
        route,
        step,
        tuple(in_stages(step)),
        policies,
        limit,
        worst_case(step, policies, limit),
        {one: options_in_effect(one.policy, policies.get(one, one.policy)) for one in kinds},
    )


def requests_of(step: Step) -> list[Request]:
    """Return the requests of a step and of all parts that it needs, each once."""
    found: dict[Request, None] = {}
    visited: set[PartRef] = set()
    pending = [step]
    while pending:
        for one in leaves(pending.pop(0)):
            if isinstance(one, Request):
                found[one] = None
            elif isinstance(one, SagaRun):
                for plan in parts_of(one.saga).values():
                    pending += [plan.step, *([plan.undo] if plan.undo is not None else [])]
            elif isinstance(one, PartStart | PartWait) and one.part not in visited:
                visited.add(one.part)
                pending.append(plan_of(one.part).step)
    return list(found)


def plan_of(part: PartRef) -> PartPlan:
    """Return the plan of a part."""
    return parts_of(part.screen)[part.name]


def awaited_by(part: PartRef) -> list[PartRef]:
    """Return the parts that a part awaits, in the order of its source."""
    steps = leaves(plan_of(part).step)
    return list(dict.fromkeys(one.part for one in steps if isinstance(one, PartWait)))


def own_requests(part: PartRef) -> list[Request]:
    """Return the requests in the source of a part itself, each once."""
    found = [one for one in leaves(plan_of(part).step) if isinstance(one, Request)]
    return list(dict.fromkeys(found))


def own_calls(part: PartRef) -> list[tuple[Request, Times]]:
    """Return the requests in the source of a part itself, each with how often it is sent."""
    return calls_of(plan_of(part).step)


def calls_of(step: Step) -> list[tuple[Request, Times]]:
    """Return the requests of a step itself, without those of parts, each with how often."""
    return list(dict.fromkeys(_with_times(step, ONCE)))


def _with_times(step: Step, times: Times) -> Iterable[tuple[Request, Times]]:
    if isinstance(step, Request):
        yield step, times
    elif isinstance(step, Repeated):
        yield from _with_times(step.step, times.within(step))
    elif isinstance(step, InOrder | Together | Maybe):
        for one in step.steps:
            yield from _with_times(one, times)


def own_unknowns(part: PartRef) -> list[Unknown]:
    """Return what the source of a part itself does not show."""
    steps = leaves(plan_of(part).step)
    return list(dict.fromkeys(one for one in steps if isinstance(one, Unknown)))


def unknowns_of(step: Step) -> list[Unknown]:
    """Return what the source does not show, also inside the parts that a step needs."""
    found: dict[Unknown, None] = {}
    visited: set[PartRef] = set()
    pending = [step]
    while pending:
        for one in leaves(pending.pop(0)):
            if isinstance(one, Unknown):
                found[one] = None
            elif isinstance(one, PartStart | PartWait) and one.part not in visited:
                visited.add(one.part)
                pending.append(plan_of(one.part).step)
    return list(found)


def in_stages(step: Step) -> Iterable[Use]:
    """Return the parts and calls of a step, in stages that run one after the other."""
    stages = _Stages()
    stages.place(step, 1)
    return sorted(stages.uses.values(), key=lambda one: one.stage)


@dataclass(slots=True)
class _Stages:
    """Places the parts of a step in stages; a part starts in one, and is awaited at its end."""

    uses: dict[tuple[Shown, int], Use] = field(default_factory=dict)
    first: dict[PartRef, int] = field(default_factory=dict)
    certain: set[PartRef] = field(default_factory=set)
    is_certain: bool = True
    times: Times = ONCE

    def place(  # noqa: PLR0911 # one branch for each kind of step
        self, step: Step, stage: int
    ) -> int:
        """Place a step; return the stage of what comes after it."""
        match step:
            case InOrder():
                for one in step.steps:
                    stage = self.place(one, stage)
                return stage
            case Together():
                return max((self.place(one, stage) for one in step.steps), default=stage)
            case Maybe() | Repeated():
                return self._within(step, stage)
            case PartStart():
                return self._start(step.part, stage)
            case PartWait():
                return max(stage, self.first.get(step.part, stage - 1) + 1)
            case ScreenMade():
                return stage
        self._add(step, stage)
        return stage + 1

    def _within(self, step: Maybe | Repeated, stage: int) -> int:
        before = self.is_certain, self.times
        if isinstance(step, Maybe):
            self.is_certain, inner = False, step.steps
        else:
            self.times, inner = self.times.within(step), (step.step,)
        end = max((self.place(one, stage) for one in inner), default=stage)
        self.is_certain, self.times = before
        return end

    def _start(self, part: PartRef, stage: int) -> int:
        if part.kind == "step" or (plan_of(part).runs_once and part in self.certain):
            return stage
        if self.is_certain and self.times.is_once:
            self.certain.add(part)
        self.first[part] = stage
        self._add(part, stage)
        return stage

    def _add(self, what: Shown, stage: int) -> None:
        key, known = (what, stage), self.uses.get((what, stage))
        is_certain = self.is_certain or (known is not None and known.is_certain)
        times = (
            self.times if known is None or self.times.factor > known.times.factor else known.times
        )
        is_repeated = not times.is_once or (known is not None and known.is_repeated)
        self.uses[key] = Use(what, stage, is_certain, is_repeated, times)
