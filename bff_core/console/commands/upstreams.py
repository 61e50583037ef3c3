"""What a process reports about the services that it calls, and what operators do to them."""

import asyncio
import os
from collections.abc import Mapping

import msgspec

from bff_core.admin.operations import Operation
from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.model import LayerRow
from bff_core.console.upstreams.endpoint_latency import EndpointLatencies, Key
from bff_core.console.upstreams.policy_words import OFF, policy_sources, policy_words
from bff_core.console.upstreams.report import (
    ACT_COMMAND,
    STATE_COMMAND,
    Acted,
    ProcessReport,
    ScreenNeed,
    UpstreamReport,
)
from bff_core.console.upstreams.state_words import state_words
from bff_core.errors import ClientError
from bff_core.gateway.app import Gateway
from bff_core.gateway.operations import ACT_HERE
from bff_core.observe.process_socket import Command, InvalidCommand
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream
from bff_core.upstream.state import UpstreamState


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""
    needs: dict[str, list[ScreenNeed]] | None = None
    latencies = EndpointLatencies(gateway.events)
    gateway.console.on_close(latencies.close)

    async def state(_: bytes) -> bytes:
        nonlocal needs
        if needs is None:  # it reads the source of all screens: not on the loop
            needs = await asyncio.to_thread(_needs, gateway)
        latencies.watch()
        return msgspec.json.encode(_report(gateway, needs, latencies.p95()))

    async def act(body: bytes) -> bytes:
        return msgspec.json.encode(await _acted(gateway, _operation(body)))

    return {STATE_COMMAND: state, ACT_COMMAND: act, ACT_HERE: gateway.operations.answer_sibling}


def _needs(gateway: Gateway) -> dict[str, list[ScreenNeed]]:
    # The module is slow to import, and most processes never show the page.
    from bff_core.console.upstreams.needs import needs_of  # noqa: PLC0415 # see above

    return needs_of(gateway)


def _report(
    gateway: Gateway, needs: Mapping[str, list[ScreenNeed]], latencies: Mapping[Key, float]
) -> ProcessReport:
    upstreams = gateway.running.upstreams
    states = {stack.name: stack.state() for stack in upstreams.stacks}
    reports = [
        _of_upstream(kind, policy, states[kind.name], needs.get(kind.name, []))
        for kind, policy in upstreams.policies.items()
    ]
    for report in reports:
        report.latencies = {
            endpoint: p95
            for (upstream, endpoint), p95 in latencies.items()
            if upstream == report.upstream
        }
    return ProcessReport(gateway.title, os.getpid(), reports)


def _of_upstream(
    kind: type[Upstream], policy: Policy, state: UpstreamState, needs: list[ScreenNeed]
) -> UpstreamReport:
    breaker = policy.breaker
    return UpstreamReport(
        upstream=kind.name,
        layers=layers_of(kind.policy, policy, state, needs),
        state=state,
        timeout=policy.timeout,
        attempt_timeout=policy.attempt_timeout,
        failure_ratio=0.0 if breaker is None else breaker.failure_ratio,
        window=0.0 if breaker is None else breaker.window,
        is_critical=policy.critical,
        is_cached=policy.cache is not None,
        needs=needs,
    )


def layers_of(
    declared: Policy, policy: Policy, state: UpstreamState, needs: list[ScreenNeed]
) -> list[LayerRow]:
    """Return the layers of a service in the order of the stack."""
    credentials = "" if state.credentials is None else state.credentials.kind
    words, sources = policy_words(policy, credentials), policy_sources(declared, policy)
    if len(state.endpoints) == 1:
        words["balance"] = "one endpoint, never ejected"
    ratio = 0.0 if policy.breaker is None else policy.breaker.failure_ratio
    now = state_words(state, needs, ratio)
    return [
        LayerRow(
            layer=layer,
            policy=text,
            now=now.get(layer, ("", "ok"))[0] if text != OFF else "",
            source=sources[layer],
            state=now.get(layer, ("", "ok"))[1] if text != OFF else "ok",
            is_on=text != OFF,
        )
        for layer, text in words.items()
    ]


def _operation(body: bytes) -> Operation:
    try:
        operation: Operation = decode_foreign(body, Operation)
    except NotDecoded as error:
        raise InvalidCommand(str(error)) from None
    return operation


async def _acted(gateway: Gateway, operation: Operation) -> Acted:
    try:
        done = await gateway.operations.everywhere(operation)
    except ClientError as error:
        return Acted(status=error.status, problem=str(error))
    return Acted(done.subject, done.action, done.changed, done.failed)
