"""What operators may do to a service: which actions are possible now, and doing them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bff_core.admin.operations import Operation, PurgeTags
from bff_core.console.answers import MAX_CHARACTERS, ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.model import DoAction, UpstreamAction
from bff_core.console.upstreams.merging import InProcess, latencies_of, merged_endpoints
from bff_core.console.upstreams.report import ACT_COMMAND, Acted
from bff_core.console.wording import listed
from bff_core.upstream.operations import (
    MAX_SECONDS,
    MIN_SECONDS,
    CloseCircuit,
    EjectEndpoint,
    OpenCircuit,
    RestoreEndpoint,
)
from bff_core.upstream.state import EndpointState

MAX_ENDPOINTS: Final = 8
"""Endpoints that a page offers to eject; scripts may eject any."""

INVALID: Final = "The action is not valid"


def actions_of(processes: Sequence[InProcess]) -> list[UpstreamAction]:
    """Return the actions for a service, possible or not, in the order of the page."""
    found = [_open(processes), _close(processes)]
    endpoints = merged_endpoints(processes)
    busiest = sorted(endpoints, key=lambda one: (one.failures, one.in_flight), reverse=True)
    if len(endpoints) > 1:
        latencies = latencies_of(processes)
        found += [_eject(one, latencies) for one in busiest[:MAX_ENDPOINTS] if not one.is_ejected]
    found += [_restore(one) for one in endpoints if one.is_ejected]
    return [*found, _purge(processes)]


def _open(processes: Sequence[InProcess]) -> UpstreamAction:
    breakers = [one.report.state.breaker for one in processes]
    note = "Parts get their fallback at once; the service rests."
    if any(one.report.is_critical for one in processes):
        note += " The gateway is not ready meanwhile: this service is critical."
    is_possible = any(one is not None for one in breakers)
    if not is_possible:
        note = "Its policy has no breaker."
    elif all(one is None or one.is_forced for one in breakers):
        note = "An operator opened it; open it again to change the time."
    elif any(one is not None and one.is_forced for one in breakers):
        note = "Not open in all processes: open it again to reach those that started since."
    return UpstreamAction(
        action="open",
        title="Open the circuit",
        note=note,
        is_possible=is_possible,
        needs_confirmation=True,
    )


def _close(processes: Sequence[InProcess]) -> UpstreamAction:
    breakers = (one.report.state.breaker for one in processes)
    states = {breaker.state for breaker in breakers if breaker is not None}
    is_possible = bool(states - {"closed"})
    note = "Calls are sent again at once." if is_possible else "It is closed."
    return UpstreamAction(
        action="close",
        title="Close the circuit",
        note=note if states else "Its policy has no breaker.",
        is_possible=is_possible,
    )


def _eject(endpoint: EndpointState, latencies: Mapping[str, float]) -> UpstreamAction:
    note = f"{endpoint.in_flight} calls now, {endpoint.failures} failures in a row."
    own = latencies.get(endpoint.name)
    others = [p95 for name, p95 in latencies.items() if name != endpoint.name]
    if own is not None and others and not endpoint.failures:
        note = f"p95 {own * 1000:,.0f} ms; fastest of the others: {min(others) * 1000:,.0f} ms."
    return UpstreamAction(
        action="eject",
        title=f"Eject {endpoint.name}",
        note=note if endpoint.may_eject else "Too few others would remain.",
        is_possible=endpoint.may_eject,
        endpoint=endpoint.name,
    )


def _restore(endpoint: EndpointState) -> UpstreamAction:
    left = f"for {endpoint.ejected_for:.0f} s more" if endpoint.ejected_for else "until a probe"
    return UpstreamAction(
        action="restore",
        title=f"Restore {endpoint.name}",
        note=f"It gets no calls {left}.",
        is_possible=True,
        endpoint=endpoint.name,
    )


def _purge(processes: Sequence[InProcess]) -> UpstreamAction:
    is_cached = any(one.report.is_cached for one in processes)
    note = "Entries with this tag are dropped, also those of other services and of views."
    return UpstreamAction(
        action="purge",
        title="Purge a tag",
        note=note if is_cached else "Its replies are not cached.",
        is_possible=is_cached,
    )


def operation_of(upstream: str, action: DoAction) -> Operation:
    """Return what a page demands; raises a `ConsoleProblem` (422) for a wrong demand."""
    if action.action in {"open", "eject"} and not MIN_SECONDS <= action.seconds <= MAX_SECONDS:
        raise ConsoleProblem(
            422, INVALID, f"Give {MIN_SECONDS} to {MAX_SECONDS:,} s, not {action.seconds:g}."
        )
    if action.action in {"eject", "restore"} and not action.endpoint:
        raise ConsoleProblem(422, INVALID, "Name the endpoint, such as 10.0.9.3:8080.")
    for name, value in (("endpoint", action.endpoint), ("tag", action.tag)):
        if len(value) > MAX_CHARACTERS:
            raise ConsoleProblem(
                422, INVALID, f"The {name} has more than {MAX_CHARACTERS:,} characters."
            )
    if action.action == "purge" and not action.tag:
        raise ConsoleProblem(422, INVALID, "Name the tag, such as product:862.")
    match action.action:
        case "open":
            return OpenCircuit(upstream, action.seconds)
        case "close":
            return CloseCircuit(upstream)
        case "eject":
            return EjectEndpoint(upstream, action.endpoint, action.seconds)
        case "restore":
            return RestoreEndpoint(upstream, action.endpoint)
    return PurgeTags([action.tag])


async def act_on(console: Console, gateways: Sequence[str], operation: Operation) -> list[str]:
    """Do it on gateways, and return sentences: what was done where, and where it was not.

    Raises the `ConsoleProblem` of the first gateway if none could do it.
    """
    body = msgspec.json.encode(operation)
    found = await asyncio.gather(*(_acted(console, one, body) for one in gateways))
    done: dict[str, list[str]] = {}
    undone, problems = list[str](), list[ConsoleProblem]()
    for gateway, acted in zip(gateways, found, strict=True):
        if isinstance(acted, ConsoleProblem):
            problems.append(acted)
            undone.append(f"Not done: {acted.detail}")
            continue
        done.setdefault(acted.action, []).append(gateway)
        undone += [f"{gateway}, {reason.rstrip('.')}." for reason in acted.failed]
    if not done:
        raise problems[0]
    return [*(f"{listed(names)}: {action}" for action, names in done.items()), *undone]


async def _acted(console: Console, gateway: str, body: bytes) -> Acted | ConsoleProblem:
    """Do it on one gateway; return what was done, or why it was not."""
    try:
        answered = await console.sources.send_one(gateway, ACT_COMMAND, body)
    except ConsoleProblem as problem:
        return problem
    acted = msgspec.json.decode(answered, type=Acted)
    if acted.problem:
        title = "Nothing was changed"
        return ConsoleProblem(acted.status, title, f"{gateway}: {acted.problem}")
    return acted
