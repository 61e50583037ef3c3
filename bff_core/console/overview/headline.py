"""The sentence of the overview: how many screens suffer, since when, because of which service."""

import time
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from bff_core.console.model import Blame, Headline, ScreenFigures, UpstreamFigures
from bff_core.console.overview.window import GatewayWindow


def headline_of(
    windows: Sequence[GatewayWindow],
    screens: Sequence[ScreenFigures],
    upstreams: Sequence[UpstreamFigures],
) -> Headline:
    """Return whether a screen suffers, since when, and because of what."""
    stopped = [one.gateway for one in windows if not one.is_running]
    bad = [one for one in screens if one.state != "ok"]
    if stopped:
        names = " and ".join(f"**{one}**" for one in stopped)
        verb = "does" if len(stopped) == 1 else "do"
        return Headline(
            state="failed", text=f"{names} {verb} not answer: no process of it runs, or all hang."
        )
    if not bad:
        return _healthy(windows, screens)
    culprit = _culprit(bad)
    sentences = [_suffering(bad, len(screens))]
    if culprit is not None:
        sentences += [_reason(culprit, upstreams), *_spared(bad, screens)]
    state = "failed" if all(one.state == "failed" for one in bad) else "fallback"
    return Headline(
        state="failed" if state == "failed" else "fallback",
        text=" ".join(sentences),
        links=_links(culprit),
    )


def _healthy(windows: Sequence[GatewayWindow], screens: Sequence[ScreenFigures]) -> Headline:
    if not any(step.views for one in windows for step in one.steps.values()):
        return Headline(
            state="ok",
            text="No requests in the last 15 minutes. Send one to a gateway, and it appears here.",
        )
    aimed = [one for one in screens if one.objective]
    if not screens:
        return Headline(state="ok", text="All responses are complete.")
    count = "The screen" if len(screens) == 1 else f"All {len(screens)} screens"
    verb = "meets its objective" if len(screens) == 1 else "meet their objectives"
    if not aimed:
        verb = "is complete" if len(screens) == 1 else "are complete"
    return Headline(state="ok", text=f"{count} {verb}.")


def _suffering(bad: Sequence[ScreenFigures], total: int) -> str:
    """Return how many screens suffer, and since when."""
    is_one = len(bad) == 1
    has_failed = all(one.state == "failed" for one in bad)
    is_slow = all(one.blame and one.blame[0].reason == "slow" for one in bad)
    word = "degraded"
    if has_failed:
        verb = "fails" if is_one else "fail"
    elif is_slow:
        verb = "is too slow" if is_one else "are too slow"
    else:
        verb = f"is {word}" if is_one else f"are {word}"
    sinces = [one.since for one in bad if one.since is not None]
    since = f" since {_clock(min(sinces))}" if sinces else ""
    screens = "screen" if total == 1 else "screens"
    return f"**{len(bad)} of {total} {screens} {verb}{since}.**"


def _clock(instant: float) -> str:
    return time.strftime("%H:%M", time.localtime(instant))


def _culprit(bad: Sequence[ScreenFigures]) -> Blame | None:
    """Return what spoilt most answers, over all screens that suffer."""
    weights: Counter[tuple[str, str, str]] = Counter()
    for one in bad:
        for blame in one.blame:
            spoilt = one.rate * (1.0 - (one.complete or 0.0)) or one.rate
            weights[blame.part, blame.upstream, blame.reason] += int(spoilt * blame.share * 1e6) + 1
    if not weights:
        return None
    by_upstream: Counter[str] = Counter()
    for (_, upstream, _), weight in weights.items():
        by_upstream[upstream] += weight
    first = by_upstream.most_common(1)[0][0]
    (part, upstream, reason), _ = max(
        ((key, weight) for key, weight in weights.items() if key[1] == first),
        key=lambda one: one[1],
    )
    return Blame(part=part, upstream=upstream, reason=reason, share=1.0)


def _reason(culprit: Blame, upstreams: Sequence[UpstreamFigures]) -> str:
    """Return the sentence that names part and service."""
    found = next((one for one in upstreams if one.upstream == culprit.upstream), None)
    part = f"Part `{culprit.part}`" if culprit.part else "The gateway"
    if found is None:
        return f"{part} fails: {culprit.reason.replace('_', ' ')}."
    verb = "waits for" if culprit.reason in {"timeout", "slow"} else "needs"
    return f"{part} {verb} **{found.upstream}**, {_trouble(culprit.reason, found)}."


def _trouble(reason: str, service: UpstreamFigures) -> str:
    """Return what is wrong with a service, as a clause."""
    if reason == "circuit_open":
        return "whose circuit breaker is open"
    if reason == "slow":
        return f"whose p95 is {_milliseconds(service.p95)}"
    verb = "time out" if reason == "timeout" else "fail"
    return f"where {_percent(service.errors)} of calls {verb}"


def _percent(share: float | None) -> str:
    value = 100 * (share or 0.0)
    return f"{value:.0f} %" if value >= 1 or not value else "less than 1 %"


def _milliseconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds * 1000:,.0f} ms"


def _spared(bad: Sequence[ScreenFigures], screens: Sequence[ScreenFigures]) -> list[str]:
    """Return a sentence about the same screen of another gateway that is well."""
    suffering = {one.screen for one in bad}
    spared = [
        one for one in screens if one.screen in suffering and one.state == "ok" and one.rate > 0
    ]
    if not spared:
        return []
    return [f"{spared[0].screen} on {spared[0].gateway} does not need it."]


def _links(culprit: Blame | None) -> list[tuple[str, str]]:
    links = [("See a request", "/console/requests?state=degraded")]
    if culprit is not None and culprit.upstream:
        name = culprit.upstream
        links.insert(0, (f"Open {name}", f"/console/upstreams/{quote(name)}"))
    return links
