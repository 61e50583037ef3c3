"""The sentence that a screen's page starts with."""

from collections.abc import Mapping, Sequence
from typing import Final

from bff_core.console.model import ClientView, Headline, PlanNode, Severity
from bff_core.console.screens.columns import longest_path
from bff_core.console.wording import listed

NEARLY: Final = 0.8
"""The share of a part's timeout from which on the part is close to it."""

ARROW: Final = " \u2192 "

STATES: Final = ("failed", "degraded", "complete")
"""The states of answers, the worst first."""

ALL: Final = 0.97
"""The share of a part's timeout from which on the part takes all of it."""


def screen_headline(
    screen: str,
    nodes: Sequence[PlanNode],
    seconds: Mapping[str, float],
    clients: Sequence[ClientView] = (),
    broken: Sequence[str] = (),
) -> Headline:
    """Return the headline: what makes the screen fail, and which way takes longest.

    `seconds` is how long each part took just now, which counts where a p95 is not known, and where
    it is near the part's timeout. With `broken` services the headline says what became of clients.
    """
    if broken:
        return Headline(state=_worst(clients), text=_while_broken(screen, clients, broken))
    times = _times(nodes, seconds)
    path = longest_path(nodes, times)
    text = f"{_failing(screen, nodes)} {_path(path, nodes, times)}".rstrip()
    return Headline(state="ok", text=text)


def _times(nodes: Sequence[PlanNode], seconds: Mapping[str, float]) -> dict[str, float]:
    """Return how long each part takes."""
    found: dict[str, float] = {}
    for node in nodes:
        now = seconds.get(node.part, 0.0)
        is_slow = node.timeout is not None and now >= node.timeout * NEARLY
        found[node.part] = now if node.p95 is None or (is_slow and now > node.p95) else node.p95
    return found


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
    return f"**{screen} fails only when {listed(services, 'or')} {verb}. {rest}**"


def _path(path: Sequence[str], nodes: Sequence[PlanNode], times: Mapping[str, float]) -> str:
    if len(path) <= 1:
        return ""
    last = next(one for one in nodes if one.part == path[-1])
    slow = _near_timeout(times.get(last.part, 0.0), last.timeout)
    return f"Critical path: {ARROW.join(path)}{slow}."


def _near_timeout(seconds: float, timeout: float | None) -> str:
    if timeout is None or seconds < timeout * NEARLY:
        return ""
    if seconds >= timeout * ALL:
        return f", which now takes all of its {timeout:g} s"
    return f", which now takes {seconds:.2g} s of its {timeout:g} s"


def _while_broken(screen: str, clients: Sequence[ClientView], broken: Sequence[str]) -> str:
    verb = "fails" if len(broken) == 1 else "fail"
    worst = {gateway: _worst_state(clients, gateway) for gateway in {c.gateway: 0 for c in clients}}
    texts = [
        f"{state} on {listed(names)}"
        for state in STATES
        if (names := [gateway for gateway, one in worst.items() if one == state])
    ]
    became = "; ".join(texts) or "not answered"
    return f"While **{listed(broken)}** {verb}, {screen} is {became}."


def _worst_state(clients: Sequence[ClientView], gateway: str) -> str:
    """Return the worst state of the answers of a gateway; empty without any."""
    found = {one.state for one in clients if one.gateway == gateway}
    return next((one for one in STATES if one in found), "")


def _worst(clients: Sequence[ClientView]) -> Severity:
    states = {one.state for one in clients}
    if "failed" in states:
        return "failed"
    return "fallback" if "degraded" in states else "ok"
