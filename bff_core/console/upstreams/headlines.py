"""The sentence about a service: whether the service is to blame, or our policy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bff_core.console.links import START_SERVICE, upstream_link
from bff_core.console.model import Headline, Severity
from bff_core.console.model.states import SEVERITIES
from bff_core.console.overview.down import stopped_words
from bff_core.console.upstreams.merging import InProcess, merged_endpoints
from bff_core.console.upstreams.policy_words import seconds, share
from bff_core.console.upstreams.samples import UpstreamSamples
from bff_core.console.upstreams.state_words import MINIMUM_CALLS, is_nearly_open, is_spent
from bff_core.console.wording import listed

REPORTED: Final = 0.05
"""From this share of failed or slow calls on, the sentence is about them."""


def upstream_headline(
    name: str,
    processes: Sequence[InProcess],
    samples: UpstreamSamples | None,
    stopped: Mapping[str, float | None],
) -> Headline:
    """Return what is worst about a service; that it answers if nothing is.

    `stopped` are services whose process does not run, and since when: that explains all else.
    """
    if name in stopped:
        text = f"{stopped_words(name, stopped[name])} Calls to it fail until it is started."
        return Headline(state="failed", text=text, links=[START_SERVICE])
    found = [*_complaints(name, processes, samples)]
    if not found and not _is_called(processes, samples):
        return Headline(state="missing", text=f"**{name} was not called** in the last 5 minutes.")
    if not found:
        return Headline(state="ok", text=_fine(name, samples))
    state, text = max(found, key=lambda one: SEVERITIES.index(one[0]))
    return Headline(state=state, text=text)


def upstreams_headline(headlines: Mapping[str, Headline]) -> Headline:
    """Return the sentence of the worst service, and how many others need attention."""
    bad = {name: one for name, one in headlines.items() if one.state not in {"ok", "missing"}}
    if not bad:
        return _all_well(headlines)
    name = max(bad, key=lambda one: SEVERITIES.index(bad[one].state))
    others = [one for one in bad if one != name]
    more = f" Look at {listed(others)}, too." if others else ""
    links = [upstream_link(name), *bad[name].links]
    return Headline(state=bad[name].state, text=bad[name].text + more, links=links)


def _all_well(headlines: Mapping[str, Headline]) -> Headline:
    """Return that services answer, as far as they were called."""
    called, count = sum(one.state == "ok" for one in headlines.values()), len(headlines)
    if not count:
        return Headline(state="ok", text="No service is called.")
    if not called:
        which = "The service" if count == 1 else f"None of {count} services"
        verb = "was not" if count == 1 else "was"
        return Headline(state="missing", text=f"{which} {verb} called in the last 5 minutes.")
    if called < count:
        rest = "1 was" if count - called == 1 else f"{count - called} were"
        text = f"{called} of {count} services answer; {rest} not called in the last 5 minutes."
        return Headline(state="ok", text=text)
    return Headline(
        state="ok",
        text="The only service answers." if count == 1 else f"All {count} services answer.",
    )


def _complaints(
    name: str, processes: Sequence[InProcess], samples: UpstreamSamples | None
) -> Iterator[tuple[Severity, str]]:
    """Yield what is wrong with a service; of equally bad things the first counts."""
    yield from _circuit(name, processes)
    yield from _answers(name, processes, samples)
    yield from _credentials(name, processes)
    yield from _waiting(name, processes)
    if _is_spent(processes):
        yield "fallback", f"**The retry budget of {name} is spent.** Failed calls are not repeated."
    yield from _endpoints(name, processes)
    yield from _down(name, processes)


def _circuit(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    yield from _forced(name, processes)
    for one in processes:
        where = _where(processes, one)
        breaker = one.report.state.breaker
        if breaker is None or breaker.is_forced:
            continue
        if breaker.state == "open":
            why = f": {breaker.failed} of {breaker.calls} calls failed" if breaker.failed else ""
            if not why and breaker.slow:
                why = f": {breaker.slow} of {breaker.calls} calls were slow"
            text = f"**The circuit of {name}{where} is open{why}.**"
            yield "failed", f"{text} It is probed in {breaker.retry_after:.0f} s."
        elif breaker.state == "half-open":
            text = f"**The circuit of {name}{where} is half-open.**"
            yield "fallback", f"{text} Its probes decide whether it closes."


def _forced(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    """Yield that an operator opened the circuit."""
    forced = [one for one in processes if _is_forced(one)]
    if not forced:
        return
    left = max(one.report.state.breaker.retry_after for one in forced if one.report.state.breaker)
    ends = f"It ends in {left:.0f} s; parts get their fallback until then."
    yield "fallback", f"**An operator opened the circuit of {name}{_forced_in(processes)}.** {ends}"


def _forced_in(processes: Sequence[InProcess]) -> str:
    """Return where an operator opened the circuit, if not everywhere.

    A process that started since does not know of it.
    """
    can_open = [one for one in processes if one.report.state.breaker is not None]
    forced = [one for one in can_open if _is_forced(one)]
    if len(forced) == len(can_open):
        return ""
    names = listed(list(dict.fromkeys(one.gateway for one in forced)))
    return f" on {names}, in {len(forced)} of {len(can_open)} processes"


def _is_forced(process: InProcess) -> bool:
    breaker = process.report.state.breaker
    return breaker is not None and breaker.is_forced


def _answers(
    name: str, processes: Sequence[InProcess], samples: UpstreamSamples | None
) -> Iterator[tuple[Severity, str]]:
    """Yield that it fails or is slow, and what our policy does about it."""
    policy = _policy_now(processes)
    failed, calls = _failures(processes)
    errors = None if samples is None else samples.figures.errors
    if errors is None:
        errors = failed / calls if calls >= MINIMUM_CALLS else 0.0
    limit = _shortest_timeout(processes)
    slow = 0.0 if samples is None else samples.slower_than(limit)
    if slow >= max(REPORTED, errors):  # calls that a timeout ends are failures, too
        text = f"**{name} is slow: {share(slow)} of its calls take longer than {seconds(limit)}.**"
        yield "failed", f"{text}{policy}"
    elif errors >= REPORTED:
        yield "failed", f"**{name} fails: {share(errors)} of its calls.**{policy}"
    elif any(
        is_nearly_open(one.report.state.breaker, one.report.failure_ratio)
        for one in processes
        if one.report.state.breaker is not None
    ):
        yield "fallback", f"**{name} fails in one of its processes.**{policy}"


def _credentials(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    for one in processes:
        credentials = one.report.state.credentials
        if credentials is not None and credentials.failure:
            yield "failed", f"**{name} can't be called: no token, {credentials.failure}.**"


def _waiting(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    bulkheads = [one.report.state.bulkhead for one in processes]
    waiting = sum(one.waiting for one in bulkheads if one is not None)
    permits = sum(one.limit for one in bulkheads if one is not None)
    if waiting:
        text = f"**Calls to {name} wait: {waiting} queue for {permits} permits.**"
        yield "fallback", f"{text} The bulkhead limits them."


def _endpoints(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    endpoints = merged_endpoints(processes)
    ejected = [one for one in endpoints if one.is_ejected]
    if ejected:
        names = listed([one.name for one in ejected])
        verb = "is" if len(ejected) == 1 else "are"
        by = " by an operator" if all(one.is_forced for one in ejected) else ""
        count = f"{len(ejected)} of {len(endpoints)}"
        text = f"**{count} endpoints of {name} {verb} ejected{by}.**"
        yield "fallback", f"{text} {names} {'gets' if len(ejected) == 1 else 'get'} no calls."


def _down(name: str, processes: Sequence[InProcess]) -> Iterator[tuple[Severity, str]]:
    endpoints = merged_endpoints(processes)
    down = [one.name for one in endpoints if one.health == "down"]
    if down:
        verb, get = ("is", "gets") if len(down) == 1 else ("are", "get")
        text = f"**{len(down)} of {len(endpoints)} endpoints of {name} {verb} down.**"
        yield "fallback", f"{text} Health checks say so; {listed(down)} {get} no calls."


def _is_called(processes: Sequence[InProcess], samples: UpstreamSamples | None) -> bool:
    """Whether there were calls; also if neither metrics nor breakers count them."""
    if samples is not None:
        return any(one.calls for one in samples.buckets)
    return any(
        one.report.state.breaker is None or one.report.state.breaker.calls for one in processes
    )


def _policy_now(processes: Sequence[InProcess]) -> str:
    """Return what our policy does while a service fails."""
    budget = "its retry budget is spent" if _is_spent(processes) else ""
    breakers = [one.report.state.breaker for one in processes]
    is_closed = all(one is not None and one.state == "closed" for one in breakers)
    circuit = "its circuit is still closed" if is_closed else ""
    if any(map(_is_forced, processes)):
        circuit = f"an operator opened its circuit{_forced_in(processes)}"
    text = ", ".join(one for one in (budget, circuit) if one)
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _failures(processes: Sequence[InProcess]) -> tuple[int, int]:
    breakers = [one.report.state.breaker for one in processes]
    failed = sum(one.failed for one in breakers if one is not None)
    return failed, sum(one.calls for one in breakers if one is not None)


def _is_spent(processes: Sequence[InProcess]) -> bool:
    budgets = [one.report.state.budget for one in processes]
    return any(one is not None and is_spent(one) for one in budgets)


def _shortest_timeout(processes: Sequence[InProcess]) -> float:
    """Return the shortest timeout that applies to calls: of parts, of an attempt, of the call."""
    found = [
        part.timeout
        for one in processes
        for need in one.report.needs
        for part in need.parts
        if part.timeout is not None
    ]
    found += [min(one.report.attempt_timeout, one.report.timeout) for one in processes]
    return min(found)


def _fine(name: str, samples: UpstreamSamples | None) -> str:
    if samples is None or samples.figures.p95 is None:
        return f"**{name} answers.** Nothing needs attention."
    return (
        f"**{name} answers.** 95 % of its calls take {samples.figures.p95 * 1000:,.0f} ms or less."
    )


def _where(processes: Sequence[InProcess], one: InProcess) -> str:
    """Return the gateway, if several call the service."""
    return f" on {one.gateway}" if len({each.gateway for each in processes}) > 1 else ""
