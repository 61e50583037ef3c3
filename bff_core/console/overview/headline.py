"""The sentence of the overview: how many screens suffer, since when, because of which service."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from bff_core.console.links import START_SERVICE, Link, upstream_link
from bff_core.console.metrics.window import GatewayWindow, recorded_by
from bff_core.console.model import Blame, Headline, ScreenFigures, UpstreamFigures
from bff_core.console.overview.down import clock_of, stopped_words
from bff_core.console.requests.words import reason
from bff_core.console.wording import listed_names

MAX_NAMES: Final = 2
"""Screens that a sentence names; the others are counted."""

RECOVERED_SHARE: Final = 0.01
"""The share of answers of a window that were not complete, from which on a screen has recovered."""


def overview_headline(
    windows: Sequence[GatewayWindow],
    screens: Sequence[ScreenFigures],
    upstreams: Sequence[UpstreamFigures],
    stopped: Mapping[str, float | None] | None = None,
) -> Headline:
    """Return whether a screen suffers, since when, and because of what.

    `stopped` are services whose process does not run, and since when.
    """
    silent = [one.gateway for one in windows if not one.is_running]
    if silent:
        names, verb = listed_names(silent), "does" if len(silent) == 1 else "do"
        what = "no process of it runs, or all hang" if len(silent) == 1 else "no process runs"
        return Headline(state="failed", text=f"{names} {verb} not answer: {what}.")
    bad = [one for one in screens if one.state not in {"ok", "quiet"}]
    if bad:
        return _suffering(bad, screens, upstreams)
    down = [one for one in upstreams if one.state == "failed"]
    if down:
        return _at_risk(down, screens, stopped or {})
    return _healthy(windows, screens)


def _suffering(
    bad: Sequence[ScreenFigures],
    screens: Sequence[ScreenFigures],
    upstreams: Sequence[UpstreamFigures],
) -> Headline:
    """Return how many screens suffer, and because of which service."""
    culprit = _culprit(bad)
    sentences = [_count(bad, screens)]
    if culprit is not None:
        sentences.append(_reason(culprit, upstreams))
    named = "" if culprit is None else culprit.upstream
    others = [one.upstream for one in upstreams if one.is_stopped and one.upstream != named]
    if others:
        sentences.append(f"{listed_names(others)} {'is' if len(others) == 1 else 'are'} stopped.")
    elif culprit is not None:
        sentences += _spared(bad, screens, culprit)
    has_failed = all(one.state == "failed" for one in bad)
    states = sorted({"failed" if one.state == "failed" else "degraded" for one in bad})
    return Headline(
        state="failed" if has_failed else "fallback",
        text=" ".join(sentences),
        links=_links(culprit, ",".join(states)),
    )


def _at_risk(
    down: Sequence[UpstreamFigures],
    screens: Sequence[ScreenFigures],
    stopped: Mapping[str, float | None],
) -> Headline:
    """Return which service is down while no screen suffers yet, and which screens need it."""
    first = next((one for one in down if one.is_stopped), down[0])
    others = [one.upstream for one in down if one is not first]
    verb = "is" if len(others) == 1 else "are"
    more = f" {listed_names(others)} {verb} down, too." if others else ""
    text = f"{_state_of(first, stopped)} {_needed(first.upstream, screens)}{more}"
    links = [upstream_link(first.upstream), *([START_SERVICE] if first.is_stopped else [])]
    is_critical = any(one.is_critical for each in screens for one in each.down)
    return Headline(state="failed" if is_critical else "fallback", text=text, links=links)


def _state_of(service: UpstreamFigures, stopped: Mapping[str, float | None]) -> str:
    if service.is_stopped:
        return stopped_words(service.upstream, stopped.get(service.upstream))
    name = f"**{service.upstream}"
    if service.failing:
        return f"{name} fails.** {_percent(service.failing)} of its calls fail."
    return f"{name} is not called:** its circuit breaker is open."


def _needed(name: str, screens: Sequence[ScreenFigures]) -> str:
    """Return which screens need a service, and for which of them it is critical."""
    needs = {
        is_critical: list(
            dict.fromkeys(
                one.screen
                for one in screens
                for each in one.down
                if each.upstream == name and each.is_critical == is_critical
            )
        )
        for is_critical in (True, False)
    }
    critical, optional = needs[True], [one for one in needs[False] if one not in needs[True]]
    if not critical and not optional:
        return "No screen needs it."
    fails = f"{_first(critical)} {_verb(critical, 'fail')} without it" if critical else ""
    fails += _unless_cached(screens, name, is_critical=True)
    if not optional:
        return f"{fails}."
    less = f"{_first(optional)} {_verb(optional, 'show')} less"
    less += _unless_cached(screens, name, is_critical=False)
    return f"{fails}; {less}." if fails else f"{less}; no screen fails without it."


def _unless_cached(screens: Sequence[ScreenFigures], name: str, *, is_critical: bool) -> str:
    """Return that caches help, if a screen that needs the service is complete all the same."""
    complete = (one for one in screens if one.state == "ok")
    down = (each for one in complete for each in one.down)
    helps = any(one.upstream == name and one.is_critical == is_critical for one in down)
    return " unless cached" if helps else ""


def _first(names: Sequence[str]) -> str:
    """Return at most two names, and how many others there are."""
    if len(names) <= MAX_NAMES:
        return " and ".join(names)
    return f"{', '.join(names[:MAX_NAMES])} and {len(names) - MAX_NAMES} more"


def _verb(names: Sequence[str], verb: str) -> str:
    return f"{verb}s" if len(names) == 1 else verb


def _healthy(windows: Sequence[GatewayWindow], screens: Sequence[ScreenFigures]) -> Headline:
    if not any(one.has_answers for one in windows):
        text = f"No requests in the last {_minutes(windows)}."
        if not any(step.views for one in windows for step in one.steps.values()):
            text = "No requests yet."
        return Headline(
            state="missing",
            text=f"{text} Send one to a gateway, and it appears here.",
            links=[("Send one", "/console/api")],
        )
    used = [one for one in screens if one.is_screen and one.state != "quiet"]
    quiet = sum(one.is_screen and one.state == "quiet" for one in screens)
    if not used:
        return Headline(state="ok", text="All responses are complete. No screen was requested.")
    is_one = len(used) == 1
    verb = _verb_of_healthy(len(used), sum(bool(one.objective) for one in used))
    which = " in use" if quiet else ""
    only = "The one screen" if quiet else "The screen"
    count = f"{only}{which}" if is_one else f"All {len(used)} screens{which}"
    rest = f"{_rest(quiet, windows)}.{_recovered(used)}"
    return Headline(state="ok", text=f"{count} {verb}{rest}")


def _verb_of_healthy(screens: int, aimed: int) -> str:
    """Return what so many screens do, of which some have an objective (`aimed`)."""
    if aimed == screens:
        return "meets its objective" if screens == 1 else "meet their objectives"
    if not aimed:
        return "is complete" if screens == 1 else "are complete"
    met = "the one with an objective meets it" if aimed == 1 else f"{aimed} meet their objectives"
    return f"are complete, and {met}"


def _recovered(screens: Sequence[ScreenFigures]) -> str:
    """Return how many screens are well again."""
    count = sum((one.complete or 1.0) < 1.0 - RECOVERED_SHARE for one in screens)
    if not count:
        return ""
    return f" {count} {'was' if count == 1 else 'were'} degraded before."


def _rest(quiet: int, windows: Sequence[GatewayWindow]) -> str:
    if not quiet:
        return ""
    others = f"{quiet} other{'s' * (quiet > 1)}"
    return f"; {others} had no requests in the last {_minutes(windows)}"


def _minutes(windows: Sequence[GatewayWindow]) -> str:
    seconds = min(windows[0].length, recorded_by(windows)) if windows else 0.0
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _count(bad: Sequence[ScreenFigures], screens: Sequence[ScreenFigures]) -> str:
    """Return how many screens suffer, and since when."""
    is_about_screens = any(one.is_screen for one in bad)
    bad = [one for one in bad if one.is_screen == is_about_screens]
    total = sum(one.is_screen == is_about_screens and one.state != "quiet" for one in screens)
    is_one = len(bad) == 1
    if all(one.state == "failed" for one in bad):
        verb = "fails" if is_one else "fail"
    elif all(one.blame and one.blame[0].reason == "slow" for one in bad):
        verb = "is too slow" if is_one else "are too slow"
    else:
        verb = "is degraded" if is_one else "are degraded"
    sinces = [one.since for one in bad if one.since is not None]
    since = f" since {clock_of(min(sinces))}" if sinces else ""
    noun = "screen" if is_about_screens else "other route"
    if is_one:
        return f"**{bad[0].screen} on {bad[0].gateway} {verb}{since}.**"
    return f"**{len(bad)} of {total} {noun}{'s' * (total > 1)} {verb}{since}.**"


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
        if culprit.reason == "slow":
            return f"{part} itself takes long: no service that it calls does."
        return f"{part} is to blame: {reason(culprit.reason)}."
    verb = "waits for" if culprit.reason in {"timeout", "slow"} else "needs"
    return f"{part} {verb} **{found.upstream}**, {_trouble(culprit.reason, found)}."


def _trouble(reason: str, service: UpstreamFigures) -> str:
    """Return what is wrong with a service, as a clause."""
    if service.is_stopped:
        return "which is stopped"
    if reason == "circuit_open":
        return "whose circuit breaker is open"
    if reason == "slow":
        return f"whose p95 is {_milliseconds(service.p95)}"
    verb = "time out" if reason == "timeout" else "fail"
    return f"where {_percent(service.failing)} of calls {verb}"


def _percent(share: float | None) -> str:
    value = 100 * (share or 0.0)
    return f"{value:.0f} %" if value >= 1 or not value else "less than 1 %"


def _milliseconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds * 1000:,.0f} ms"


def _spared(
    bad: Sequence[ScreenFigures], screens: Sequence[ScreenFigures], culprit: Blame
) -> list[str]:
    """Return a sentence about the same screen of another gateway that is well."""
    suffering = {one.screen for one in bad}
    spared = [
        one
        for one in screens
        if one.screen in suffering
        and one.state == "ok"
        and culprit.upstream not in {each.upstream for each in one.down}
    ]
    if not spared or not culprit.upstream:
        return []
    return [f"{spared[0].screen} on {spared[0].gateway} does not need it."]


def _links(culprit: Blame | None, states: str) -> list[Link]:
    service = [upstream_link(culprit.upstream)] if culprit is not None and culprit.upstream else []
    return [*service, ("See a request", f"/console/requests?state={states}")]
