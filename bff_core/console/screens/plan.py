"""The plan of a screen: its parts, what awaits what, what each one needs."""

from collections.abc import Iterable, Sequence

from bff_core.console.model import PlanNode
from bff_core.console.screens.exchange import PlanOfGateway
from bff_core.console.screens.views import ScreenView, views_of_screen
from bff_core.gateway.app import Gateway
from bff_core.inspection.explanation import awaited_by, own_requests, plan_of
from bff_core.inspection.reader import parts_of
from bff_core.inspection.steps import (
    InOrder,
    Maybe,
    PartRef,
    PartStart,
    PartWait,
    Repeated,
    Step,
    Together,
)


def plan_of_screen(app: Gateway, name: str) -> PlanOfGateway:
    """Return a screen as one gateway uses it; empty if it does not use it."""
    screen, views = views_of_screen(app, name)
    if screen is None:
        return PlanOfGateway()
    refs = [PartRef(screen, one.name, one.kind) for one in parts_of(screen).values()]
    nodes = [_node(ref) for ref in refs]
    return PlanOfGateway(
        nodes=nodes,
        services=list(dict.fromkeys(name for one in nodes for name in one.upstreams)),
        explain=_explain(views),
        views=[one.title for one in views if one.reads],
        writes=[one.title for one in views if not one.reads],
        edges=edges_in_time(views),
    )


def _node(ref: PartRef) -> PlanNode:
    plan = plan_of(ref)
    fallback = {"None": "null", "": ""}.get(plan.fallback, plan.fallback)
    return PlanNode(
        part=ref.name,
        upstreams=list(dict.fromkeys(one.service.name for one in own_requests(ref))),
        column=0,
        awaits=[one.name for one in awaited_by(ref)],
        is_critical=not plan.fallback,
        fallback=fallback,
        timeout=plan.timeout,
    )


def _explain(views: Sequence[ScreenView]) -> str:
    routes = [one for one in views if one.route.kind != "field" and one.reads]
    return (routes or views)[0].explain


def edges_in_time(views: Iterable[ScreenView]) -> list[tuple[str, str]]:
    """Return pairs of parts: the second one starts only when the first one has ended.

    They are read from the source of views. What a view passes from one part to another is not
    known there, so that a part may not need all parts that it follows.
    """
    found: dict[tuple[str, str], None] = {}
    for view in views:
        _Following(found).step(view.route.find_step(), frozenset())
    return _direct(found)


def _direct(edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs without those that follow from two others."""
    known = set(edges)
    names = {one for pair in known for one in pair}
    return [
        (first, last)
        for first, last in edges
        if not any((first, via) in known and (via, last) in known for via in names)
    ]


class _Following:
    """Collects which parts start after which others have ended."""

    def __init__(self, found: dict[tuple[str, str], None]) -> None:
        self._found = found
        self._started: set[str] = set()

    def step(self, step: Step, ended: frozenset[str]) -> frozenset[str]:
        """Add what starts in a step after some parts; return the parts that have ended then."""
        match step:
            case InOrder():
                for one in step.steps:
                    ended = self.step(one, ended)
            case Together() | Maybe():
                ended = ended.union(*(self.step(one, ended) for one in step.steps))
            case Repeated():
                ended = self.step(step.step, ended)
            case PartStart() if step.part.name not in self._started:
                self._started.add(step.part.name)
                self._found.update(dict.fromkeys((one, step.part.name) for one in sorted(ended)))
            case PartWait():
                ended = ended | {step.part.name}
            case _:
                pass
        return ended
