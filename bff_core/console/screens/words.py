"""The sentence that a screen's page starts with."""

from collections.abc import Mapping, Sequence
from typing import Final

from bff_core.console.model import ClientView, Headline, PlanNode, Severity
from bff_core.console.screens.columns import longest_path

NEARLY: Final = 0.8
"""The share of a part's timeout from which on the part is close to it."""

ALL: Final = 0.97
"""The share of a part's timeout from which on the part takes all of it."""


def headline_of(
    screen: str,
    nodes: Sequence[PlanNode],
    seconds: Mapping[str, float],
    clients: Sequence[ClientView] = (),
    broken: Sequence[str] = (),
) -> Headline:
    """Return the headline: what makes the screen fail, and which way takes longest.

    `seconds` is how long each part took. With `broken` services it says what became of clients.
    """
    if broken:
        return Headline(state=_worst(clients), text=_while_broken(screen, clients, broken))
    path = longest_path(nodes, {**seconds, **{one.part: one.p95 for one in nodes if one.p95}})
    text = f"{_failing(screen, nodes)} {_path(path, nodes)}".rstrip()
    return Headline(state="ok", text=text)


def _failing(screen: str, nodes: Sequence[PlanNode]) -> str:
    critical = [one for one in nodes if one.is_critical]
    services = list(dict.fromkeys(name for one in critical for name in one.upstreams))
    if not nodes:
        return f"**{screen} has no parts.**"
    if not services:
        return f"**No service can make {screen} fail.** Every part is optional."
    verb = "fails" if len(services) == 1 else "fail"
    if len(critical) == len(nodes):
        rest = "Every part is critical."
    else:
        rest = "Every other part is optional."
    return f"**{screen} fails only when {_joined(services, 'or')} {verb}. {rest}**"


def _joined(names: Sequence[str], word: str) -> str:
    """Return names as a list in a sentence, with a word before the last one."""
    *before, last = names
    return f"{', '.join(before)} {word} {last}" if before else last


def _path(path: Sequence[str], nodes: Sequence[PlanNode]) -> str:
    if len(path) < 2:  # one part is no way
        return ""
    last = next(one for one in nodes if one.part == path[-1])
    return f"Critical path: {' → '.join(path)}{_near_timeout(last)}."


def _near_timeout(node: PlanNode) -> str:
    if node.p95 is None or node.timeout is None:
        return ""
    share = node.p95 / node.timeout
    if share >= ALL:
        return f", which now takes all of its {node.timeout:g} s"
    if share >= NEARLY:
        return f", which now takes {node.p95:.2g} s of its {node.timeout:g} s"
    return ""


def _while_broken(screen: str, clients: Sequence[ClientView], broken: Sequence[str]) -> str:
    verb = "fails" if len(broken) == 1 else "fail"
    answered = [one for one in clients if one.state is not None]
    texts = [
        f"{state} on {_joined(names, 'and')}"
        for state in ("failed", "degraded", "complete")
        if (names := list(dict.fromkeys(one.gateway for one in answered if one.state == state)))
    ]
    became = "; ".join(texts) or "not answered"
    return f"While **{_joined(broken, 'and')}** {verb}, {screen} is {became}."


def _worst(clients: Sequence[ClientView]) -> Severity:
    states = {one.state for one in clients}
    if "failed" in states:
        return "failed"
    return "fallback" if "degraded" in states else "ok"
