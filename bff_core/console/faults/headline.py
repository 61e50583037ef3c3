"""The sentence at the top of the page of faults: what is broken, and what clients get of it."""

from collections.abc import Sequence
from typing import Final

from bff_core.console.model import ClientView, FaultCard, Headline, Severity
from bff_core.console.wording import listed
from bff_core.http_statuses import NOT_ADMITTED

MAX_NAMED: Final = 3
"""Services that are named; of more the number is."""


def faults_headline(
    cards: Sequence[FaultCard], clients: Sequence[ClientView], screen: str
) -> Headline:
    """Return what faults there are, and for which clients the screen is not complete.

    The screen of `clients` is computed without caches, so that real clients may still get it whole.
    """
    broken = [(one, what) for one in cards if (what := effect_of(one))]
    if not broken:
        return Headline(state="ok", text=f"No faults: {_answering(len(cards))} as usual.")
    if len(broken) > MAX_NAMED:
        subject = f"{len(broken)} of {len(cards)} services have faults"
    else:
        subject = ", ".join(f"**{one.service}** {what}" for one, what in broken)
    signed_in = [one for one in clients if one.status not in NOT_ADMITTED]
    failed = [one.gateway for one in signed_in if one.state == "failed"]
    degraded = [one.gateway for one in signed_in if one.state == "degraded"]
    effects = [
        f"{word} for {listed(names)}"
        for word, names in (("fails", failed), ("is degraded", degraded))
        if names
    ]
    if signed_in and not effects:
        effects = ["is still complete for all clients"]
    state: Severity = "failed" if failed else "fallback"
    caches = "without cached replies " if failed or degraded else ""
    text = f"{subject}: {caches}{screen} {' and '.join(effects)}." if effects else f"{subject}."
    return Headline(state=state, text=text)


def effect_of(card: FaultCard) -> str:
    """Return what a service does other than usual, in words; empty if nothing."""
    if card.state != "running":
        return "is starting" if card.state == "starting" else f"is {card.state}"
    others = [*(kind.replace("_", " ") for kind in card.kinds), *card.others]
    effects = [
        f"is {card.latency:g} s slower" if card.latency else "",
        f"fails {_percent(card.errors)} of its requests" if card.errors else "",
        f"leaves {_percent(card.hang)} of its requests unanswered" if card.hang else "",
        f"sends garbage to {_percent(card.garbage)} of its requests" if card.garbage else "",
        f"has other faults ({', '.join(others)})" if others else "",
    ]
    return " and ".join(one for one in effects if one)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _answering(services: int) -> str:
    return "the service answers" if services == 1 else f"all {services} services answer"
