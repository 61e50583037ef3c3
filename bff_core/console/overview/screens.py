"""The figures of screens: rate, completeness, latency, error budget, blame."""

from collections.abc import Iterator, Sequence
from typing import Final

from bff_core.console.metrics.window import (
    STATE_SECONDS,
    GatewayWindow,
    blames_in,
    is_route,
    view_in,
)
from bff_core.console.model import Blame, ScreenFigures, ViewState
from bff_core.objective import Objective, parsed_objective
from bff_core.observe.metrics.budget import budget_left, burn_rate
from bff_core.observe.metrics.histogram import quantile
from bff_core.observe.metrics.samples import SampledView, ViewStep, WindowStep
from bff_core.observe.metrics.steps import STEP_SECONDS

TOLERATED_SHARE: Final = 0.01
"""The share of answers that may be degraded or failed before a screen without objective is."""

FAILED_SHARE: Final = 0.5
"""A screen has failed if at least this share of its answers has."""

MIN_ANSWERS: Final = 20
"""Answers from which on the latency of a screen is judged."""

MAX_BLAMES: Final = 5


def screens_of(window: GatewayWindow) -> list[ScreenFigures]:
    """Return the figures of the views of a gateway that are screens or have been called."""
    recent = window.recent()
    return [
        _figures(window, label, view, recent)
        for label, view in sorted(_shown(window).items(), key=lambda one: _order(one[0]))
    ]


def _shown(window: GatewayWindow) -> dict[str, SampledView]:
    has_fields = any(not is_route(label) for label in window.views)
    called = {label for step in window.steps.values() for label in step.views}
    found = {label: view for label, view in window.views.items() if view.screen or view.objective}
    for label in called & window.views.keys():
        is_graphql = has_fields and label.startswith("POST ") and _is_graphql(window, label)
        if not is_graphql:
            found[label] = window.views[label]
    return found


def _is_graphql(window: GatewayWindow, label: str) -> bool:
    """Whether the answers of a route are those of the fields of GraphQL."""
    view = window.views[label]
    is_bare = not (view.screen or view.objective)
    return is_bare and any(
        label in step.views and any(not is_route(one) for one in step.views)
        for step in window.steps.values()
    )


def _order(label: str) -> tuple[bool, str, str]:
    method, _, rest = label.partition(" ")
    return method not in {"GET", "query"}, rest, method


def _figures(
    window: GatewayWindow, label: str, view: SampledView, recent: Sequence[WindowStep]
) -> ScreenFigures:
    answers, newest = view_in(recent, label), window.newest(lambda step: label in step.views)
    objective = parsed_objective(view.objective) if view.objective else None
    state = _state(view_in(newest, label), objective)
    is_bad = state not in {"ok", "quiet"}
    left, burn = _budget(view, objective)
    return ScreenFigures(
        gateway=window.gateway,
        screen=view.screen or label,
        route=_route(label),
        rate=answers.answers / window.seconds,
        complete=_share(answers.complete, answers),
        errors=_share(answers.failed, answers),
        p50=quantile(answers.buckets, 0.5),
        p95=quantile(answers.buckets, 0.95),
        objective=view.objective,
        budget_left=left,
        burn=burn,
        blame=list(_blame(label, newest if is_bad else recent)),
        state=state,
        since=_since(window, label, objective) if is_bad else None,
        is_screen=bool(view.screen or view.objective),
    )


def _route(label: str) -> str:
    """Return how clients call a view: a method and a path, or the field of GraphQL."""
    return label if is_route(label) else label.partition(" ")[2]


def _share(count: int, answers: ViewStep) -> float | None:
    return count / answers.answers if answers.answers else None


def _budget(view: SampledView, objective: Objective | None) -> tuple[float | None, float | None]:
    """Return what is left of the budget of a day, and how fast the last five minutes spent it."""
    if objective is None:
        return None, None
    left = budget_left(view.spent.get("24h", (0, 0)), objective.budget)
    burn = burn_rate(view.spent.get("5m", (0, 0)), objective.budget)
    return (1.0 if left is None else max(left, 0.0)), burn


def _state(answers: ViewStep, objective: Objective | None) -> ViewState:
    if not answers.answers:
        return "quiet"
    if answers.failed / answers.answers >= FAILED_SHARE:
        return "failed"
    tolerated = TOLERATED_SHARE if objective is None else objective.budget
    needs_complete = objective is None or objective.needs_complete
    bad = answers.failed + (answers.degraded if needs_complete else 0)
    if bad / answers.answers > tolerated or _is_slow(answers, objective):
        return "fallback"
    return "ok"


def _is_slow(answers: ViewStep, objective: Objective | None) -> bool:
    if objective is None or objective.seconds is None or answers.answers < MIN_ANSWERS:
        return False
    reached = quantile(answers.buckets, objective.share)
    return reached is not None and reached > objective.seconds


def _since(window: GatewayWindow, label: str, objective: Objective | None) -> float | None:
    """Return when the trouble began: before it, half a minute was well or there is no answer.

    At a low rate single good answers are between bad ones.
    """
    began: int | None = None
    for number in sorted(window.steps, reverse=True):
        answers = view_in([window.steps[number]], label)
        if not answers.answers:
            continue
        if _state(answers, objective) != "ok":
            began = number
        elif began is not None and (began - number) * STEP_SECONDS >= STATE_SECONDS:
            break
    return None if began is None else began * STEP_SECONDS


def _blame(label: str, steps: Sequence[WindowStep]) -> Iterator[Blame]:
    """Yield what spoilt answers, the most frequent first."""
    answers = view_in(steps, label)
    bad = answers.degraded + answers.failed
    found = sorted(blames_in(steps, label).items(), key=lambda one: -one[1])
    spoilt = max(bad, max((count for _, count in found), default=0))
    for (part, upstream, reason), count in found[:MAX_BLAMES]:
        yield Blame(part=part, upstream=upstream, reason=reason, share=min(count / spoilt, 1.0))
