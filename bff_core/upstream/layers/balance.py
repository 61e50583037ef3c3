"""Innermost: load balancing over the endpoints of an upstream, without ejected ones."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Required, TypedDict

from msgspec.structs import replace

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import TransportFailed, UpstreamError
from bff_core.events import Attempted, AttemptStarted, Ejected, Restored, Span
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault
from bff_core.policy.upstream.health import HealthCheck
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.membership import EndpointMember, Membership
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import EndpointState
from bff_core.upstream.transport.interface import Endpoint, Transport


class BalancerParts(TypedDict, total=False):
    """What a balancer is made of; see `Balancer` and `Membership`."""

    options: Required[Balance]
    runtime: Required[Runtime]
    transport: Required[Transport]
    origins: Required[Sequence[Endpoint]]
    attempt_timeout: float
    connect_timeout: float
    resolves: bool
    own: Mapping[Endpoint, EndpointOptions]
    discoveries: Sequence[Discovery]
    health: HealthCheck | None


class Balancer:
    """Sends each attempt to one of the upstream's endpoints.

    `origins` are the configured addresses; `own` has the options of those that have any, and
    `discoveries` yield further ones. With `resolves` each name among them is looked up, and
    each of its addresses is an endpoint; other transports resolve names themselves. With `health`
    endpoints are probed once `start` was called. When the attempt layer cancels an attempt after
    `attempt_timeout`, that counts as a failure of the endpoint. If an endpoint refuses the
    connection, the attempt goes to another one, within `connect_timeout` in all.
    """

    __slots__ = (
        "_attempt_timeout",
        "_clock",
        "_connect_timeout",
        "_events",
        "_leaving",
        "_lookup",
        "_membership",
        "_options",
        "_runtime",
        "endpoints",
    )

    def __init__(
        self,
        options: Balance,
        runtime: Runtime,
        transport: Transport,
        origins: Sequence[Endpoint],
        *,
        attempt_timeout: float = math.inf,
        connect_timeout: float = math.inf,
        resolves: bool = True,
        own: Mapping[Endpoint, EndpointOptions] = MappingProxyType({}),
        discoveries: Sequence[Discovery] = (),
        health: HealthCheck | None = None,
    ) -> None:
        self._options = options
        self._runtime = runtime
        self._clock = runtime.clock
        self._events = runtime.events
        self._attempt_timeout = attempt_timeout
        self._connect_timeout = connect_timeout
        self._membership = Membership(
            options,
            runtime,
            transport,
            origins,
            own=own,
            discoveries=discoveries,
            health=health,
            resolves=resolves,
        )
        self.endpoints = self._membership.endpoints
        self._lookup = self._membership.lookup
        self._leaving = self._membership.leaving

    def __repr__(self) -> str:
        names = ", ".join(map(_shown, self.endpoints.members))
        algorithm = self._options.algorithm
        how = "" if algorithm == "power-of-two" else f" by {algorithm}"
        return f"balance    {names or 'no address yet'}{how}"

    @property
    def urls(self) -> Sequence[str]:
        """The addresses in use, as URLs; the same list while they change."""
        return self._membership.urls

    def start(self) -> None:
        """Begin to watch discoveries and to probe endpoints."""
        self._membership.start()

    def stop(self) -> None:
        """Stop that: another balancer has taken over, and only calls under way use this one."""
        self._membership.stop()

    def adopt_health(self, before: "Balancer") -> None:
        """Take over what probes have found out about endpoints that stay."""
        self._membership.adopt_health(before.endpoints.members)

    def state(self) -> list[EndpointState]:
        """Return what operators see of each endpoint."""
        endpoints, now = self.endpoints, self._clock()
        return [
            _state_of(member, now, may_eject=endpoints.may_eject(member))
            for member in endpoints.members
        ]

    def named(self, name: str) -> EndpointMember | None:
        """Return the endpoint with a name, or at an address that is its only one."""
        found = [one for one in self.endpoints.members if name in _names(one.key)]
        return found[0] if len(found) == 1 else None

    def eject(self, member: EndpointMember, seconds: float) -> None:
        """Give an endpoint no calls for some seconds, as an operator demands."""
        self.endpoints.force_eject(member, self._clock(), seconds)
        if self._events.sinks:
            self._events.emit(Ejected(self._runtime.upstream, "", member.key.name, seconds))

    def restore(self, member: EndpointMember) -> bool:
        """Give an endpoint calls again, as an operator demands; return False if it has them."""
        if not self.endpoints.restore(member, self._clock()):
            return False
        if self._events.sinks:
            self._events.emit(Restored(self._runtime.upstream, "", member.key.name))
        return True

    async def __call__(self, call: Call) -> Reply:
        """Send the call to an endpoint, and count the outcome of the attempt for that endpoint."""
        started = began = self._clock()
        member = self._pick(call, started) or await self._pick_when_resolved(call)
        refused: tuple[EndpointMember, ...] = ()
        while True:
            call.trail.append(Attempt(member.key, started))
            member.in_flight += 1
            is_open = False
            sent = call if call.span is None else self._traced(call, call.span, member)
            try:
                reply = await member.target.send(sent)
            except BaseException as error:
                self._record_error(member, sent, error, started)
                refused = (*refused, member)
                other = self._after_refusal(call, error, refused, began)
                if other is None:
                    raise
            else:
                if call.traffic is not None:
                    call.traffic.add_body(reply.body)
                is_open = call.is_streamed and not reply.is_buffered
                self._record_status(member, sent, reply.status, started, is_whole=not is_open)
                if is_open:
                    self._await_end(member, call, reply)
                return reply
            finally:
                if not is_open:
                    self._leave(member)
            member, started = other, self._clock()

    async def aclose(self) -> None:
        """Close the connections to every endpoint; calls under way fail."""
        await self._membership.aclose()

    def _traced(self, call: Call, span: Span, member: EndpointMember) -> Call:
        """Return the call with a span of its own for one attempt, which the service continues."""
        attempt = span.child()
        key = member.key
        self._events.emit(
            AttemptStarted(call.upstream, call.operation, key.name, key.url, span=attempt)
        )
        traceparent = call.traceparent
        if traceparent:
            traceparent = f"{traceparent[:36]}{attempt.span_id}{traceparent[52:]}"
        return replace(call, span=attempt, traceparent=traceparent)

    def _await_end(self, member: EndpointMember, call: Call, reply: Reply) -> None:
        if not isinstance(reply.body, bytes):
            reply.body.on_end(partial(self._record_end, member, call, reply.status))

    def _record_end(
        self, member: EndpointMember, call: Call, status: int, error: BaseException | None
    ) -> None:
        """Count how the body of a streamed reply has ended."""
        if isinstance(error, UpstreamError) and is_upstream_fault(
            error, call, now=self._clock(), duration=0
        ):
            self._fail(member, call)
        elif error is None and not is_fault_status(status):
            self._succeed(member, call)
        self._leave(member)

    def _leave(self, member: EndpointMember) -> None:
        member.in_flight -= 1
        if self._leaving:
            self._membership.close_idle()

    def _pick(self, call: Call, now: float) -> EndpointMember | None:
        if now >= self._lookup.due:
            self._lookup.start()
        tried = self._tried(call) if call.trail else ()
        return self.endpoints.pick(now, self._runtime.chance, tried)

    def _look_up_when_due(self, now: float) -> None:
        if now >= self._lookup.due:
            self._lookup.start()

    def _tried(self, call: Call) -> Sequence[object]:
        """Return the endpoints to avoid: those that were tried, or else the excluded ones."""
        if not call.trail:
            return ()
        excluded = [attempt.endpoint for attempt in call.trail if attempt.is_excluded]
        tried = [attempt.endpoint for attempt in call.trail]
        return excluded if excluded and not self.endpoints.has_other(tried) else tried

    def _after_refusal(
        self, call: Call, error: BaseException, refused: tuple[EndpointMember, ...], began: float
    ) -> EndpointMember | None:
        """Return an untried endpoint in place of one that refused the connection, or None.

        Nothing was sent. The next endpoint therefore gets the same attempt, which costs no retry
        of the budget and is safe for any method.
        """
        if not isinstance(error, TransportFailed) or error.is_sent:
            return None
        now = self._clock()
        if now - began >= self._connect_timeout or now >= call.deadline:
            return None
        tried = [one.endpoint for one in call.trail] + [member.key for member in refused]
        member = self.endpoints.pick(now, self._runtime.chance, tried)
        if member is None or member.key in tried:
            return None
        call.trail.pop()
        return member

    async def _pick_when_resolved(self, call: Call) -> EndpointMember:
        """Wait for the first addresses; raise at once while the name can't be resolved."""
        await self._membership.wait()
        member = self._pick(call, self._clock())
        if member is None:
            raise TransportFailed(self._membership.complaint, call=call, is_sent=False)
        return member

    def _record_status(
        self,
        member: EndpointMember,
        call: Call,
        status: int,
        started: float,
        *,
        is_whole: bool,
    ) -> None:
        if is_fault_status(status):
            self._fail(member, call)
        elif is_whole and (member.failures or member.ejected_until is not None):
            self._succeed(member, call)
        if self._events.is_detailed or call.span is not None:
            self._report(member, call, str(status), started)

    def _record_error(
        self, member: EndpointMember, call: Call, error: BaseException, started: float
    ) -> None:
        if isinstance(error, UpstreamError) and not error.is_sent:
            call.mark_unsent()
        if isinstance(error, TransportFailed) and error.is_lasting:
            error.is_lasting = not self.endpoints.has_other(call.exclude_endpoint())
        now = self._clock()
        is_fault = is_upstream_fault(
            error, call, now=now, duration=now - started, attempt_timeout=self._attempt_timeout
        )
        if is_fault:
            self._fail(member, call)
        if self._events.is_detailed or call.span is not None:
            self._report(member, call, _outcome(error, is_fault=is_fault), started)

    def _succeed(self, member: EndpointMember, call: Call) -> None:
        is_restored = self.endpoints.succeed(member, self._clock())
        if is_restored and self._events.sinks:
            self._events.emit(
                Restored(call.upstream, call.operation, member.key.name, span=call.span)
            )

    def _fail(self, member: EndpointMember, call: Call) -> None:
        duration = self.endpoints.fail(member, self._clock())
        if duration is not None and self._events.sinks:
            self._events.emit(
                Ejected(call.upstream, call.operation, member.key.name, duration, span=call.span)
            )

    def _report(self, member: EndpointMember, call: Call, outcome: str, started: float) -> None:
        duration = self._clock() - started
        self._events.emit(
            Attempted(
                call.upstream, call.operation, member.key.name, outcome, duration, span=call.span
            )
        )


def _shown(member: EndpointMember) -> str:
    what = "ejected" if member.ejected_until is not None else "down" if member.is_out else ""
    what = what or ("" if member.weight else "drained")
    return f"{member.key.name} ({what})" if what else member.key.name


def _state_of(member: EndpointMember, now: float, *, may_eject: bool) -> EndpointState:
    load, until = member.target.load, member.ejected_until
    return EndpointState(
        member.key.name,
        member.in_flight,
        member.failures,
        load.idle,
        load.active,
        load.waiting,
        is_ejected=until is not None,
        ejected_for=0.0 if until is None else max(0.0, until - now),
        is_forced=member.is_forced,
        may_eject=may_eject,
        weight=member.weight,
        priority=member.priority,
        zone=member.zone,
        health=member.health,
        share=member.share,
    )


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    """Return what an operator may call an endpoint: its name, its address, with or without port."""
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return endpoint.name, endpoint.address, f"{address}:{endpoint.port}"


def _outcome(error: BaseException, *, is_fault: bool) -> str:
    if isinstance(error, UpstreamError):
        return error.code
    if isinstance(error, asyncio.CancelledError):
        return "timeout" if is_fault else "cancelled"
    return type(error).__name__
