"""Innermost: load balancing over the endpoints of an upstream, without those that fail."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import TransportFailed, UpstreamError
from bff_core.events import Attempted, Ejected, Resolved, Restored
from bff_core.policy.upstream.balance import Balance, EndpointSet, Member
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault
from bff_core.upstream.dns import AddressLookup
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Connector, Endpoint, StreamedReply, Transport

Place = Member[Endpoint, Connector]


class Balancer:
    """Sends each attempt to one of the upstream's endpoints.

    `origins` are the addresses that were configured; with `resolves` (off for a transport that
    knows its own way) each name among them stands for all its addresses. `attempt_timeout` is
    that of the layer outside, whose cancellation counts against an endpoint. An attempt whose
    connection is refused goes to the next endpoint, within `connect_timeout` in all.
    """

    __slots__ = (
        "_clock",
        "_connect_timeout",
        "_cut_after",
        "_events",
        "_leaving",
        "_lookup",
        "_options",
        "_runtime",
        "_unresolved",
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
    ) -> None:
        self.endpoints: EndpointSet[Endpoint, Connector] = EndpointSet(options, transport.connect)
        self._options = options
        self._runtime = runtime
        self._clock = runtime.clock
        self._events = runtime.events
        self._cut_after = attempt_timeout
        self._connect_timeout = connect_timeout
        self._leaving: set[Place] = set()
        self._unresolved = ""
        self._lookup = AddressLookup(
            options, runtime, origins if resolves else (), self._take_addresses
        )
        self.endpoints.update(self._lookup.endpoints if resolves else origins, self._clock())

    def __repr__(self) -> str:
        out = self.endpoints.ejected
        names = (f"{e.name} (ejected)" if e in out else e.name for e in self.endpoints.keys)
        return f"balance    {', '.join(names) or 'no address yet'}"

    async def __call__(self, call: Call) -> Reply:
        """Send the call to an endpoint, and count the outcome of the attempt for that endpoint."""
        started = began = self._clock()
        place = self._pick(call, started) or await self._pick_when_resolved(call)
        refused: list[Place] = []
        while True:
            call.trail.append(Attempt(place.key, started))
            place.in_flight += 1
            try:
                reply = await place.target.send(call)
            except BaseException as error:
                if isinstance(error, UpstreamError) and not error.is_sent:
                    call.mark_unsent()
                if isinstance(error, TransportFailed) and error.is_lasting:
                    error.is_lasting = not self.endpoints.has_other(call.bar())
                self._take_error(place, call, error, started)
                refused.append(place)
                other = self._after_refusal(call, error, refused, began)
                if other is None:
                    raise
                call.trail.pop()  # nothing was sent there
            else:
                self._take_status(place, call, reply.status, started)
                return reply
            finally:
                place.in_flight -= 1
                if self._leaving:
                    self._close_idle()
            place, started = other, self._clock()

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[StreamedReply]:
        """Send the call to an endpoint and yield its reply while it arrives."""
        started = began = self._clock()
        place = self._pick(call, started) or await self._pick_when_resolved(call)
        refused: list[Place] = []
        while True:
            call.trail.append(Attempt(place.key, started))
            place.in_flight += 1
            is_open = False
            try:
                async with place.target.stream(call) as reply:
                    is_open = True
                    self._take_status(place, call, reply.status, started)
                    yield reply
                    return
            except UpstreamError as error:
                if error.call is call:  # and not another call that was made while this one streams
                    if not error.is_sent:
                        call.mark_unsent()
                    self._take_error(place, call, error, started)
                refused.append(place)
                other = None if is_open else self._after_refusal(call, error, refused, began)
                if other is None:
                    raise
                call.trail.pop()  # nothing was sent there
            finally:
                place.in_flight -= 1
                if self._leaving:
                    self._close_idle()
            place, started = other, self._clock()

    async def aclose(self) -> None:
        """Close the connections to every endpoint; calls under way fail."""
        self._lookup.stop()
        self._leaving.update(self.endpoints.update((), self._clock()))
        while self._leaving:
            await self._leaving.pop().target.aclose()

    def _pick(self, call: Call, now: float) -> Place | None:
        if now >= self._lookup.due:
            self._lookup.start()
        return self.endpoints.pick(now, self._runtime.chance, self._tried(call))

    def _tried(self, call: Call) -> Sequence[object]:
        """Return the endpoints to avoid: all that were tried; else those that would fail again."""
        if not call.trail:
            return ()
        barred = [attempt.endpoint for attempt in call.trail if attempt.is_barred]
        tried = [attempt.endpoint for attempt in call.trail]
        return barred if barred and not self.endpoints.has_other(tried) else tried

    def _after_refusal(
        self, call: Call, error: BaseException, refused: list[Place], began: float
    ) -> Place | None:
        """Return an endpoint that was not tried yet, where one refused the connection.

        Nothing was sent, so that it counts as the same attempt: it needs no budget, for any method.
        """
        if not isinstance(error, TransportFailed) or error.is_sent:
            return None
        now = self._clock()
        if now - began >= self._connect_timeout or now >= call.deadline:
            return None
        tried = [one.endpoint for one in call.trail] + [place.key for place in refused]
        place = self.endpoints.pick(now, self._runtime.chance, tried)
        return None if place is None or place.key in tried else place

    async def _pick_when_resolved(self, call: Call) -> Place:
        """Wait for the first addresses; raise at once while none can be resolved."""
        await self._lookup.finish()
        place = self.endpoints.pick(self._clock(), self._runtime.chance)
        if place is None:
            why = f": {self._unresolved}" if self._unresolved else ""
            raise TransportFailed(f"no address is known{why}", call=call, is_sent=False)
        return place

    def _take_status(self, place: Place, call: Call, status: int, started: float) -> None:
        if is_fault_status(status):
            self._fail(place, call)
        elif place.failures or place.ejected_until is not None:
            self._succeed(place, call)
        if self._events.sinks:
            self._report(place, call, str(status), started)

    def _take_error(self, place: Place, call: Call, error: BaseException, started: float) -> None:
        now = self._clock()
        duration = now - started
        is_fault = is_upstream_fault(
            error, call, now=now, duration=duration, cut_after=self._cut_after
        )
        if is_fault:
            self._fail(place, call)
        if self._events.sinks:
            self._report(place, call, _outcome(error, is_fault=is_fault), started)

    def _succeed(self, place: Place, call: Call) -> None:
        is_restored = self.endpoints.succeed(place, self._clock())
        if is_restored and self._events.sinks:
            self._events.emit(Restored(call.upstream, call.operation, place.key.name))

    def _fail(self, place: Place, call: Call) -> None:
        duration = self.endpoints.fail(place, self._clock())
        if duration is not None and self._events.sinks:
            self._events.emit(Ejected(call.upstream, call.operation, place.key.name, duration))

    def _report(self, place: Place, call: Call, outcome: str, started: float) -> None:
        duration = self._clock() - started
        self._events.emit(
            Attempted(call.upstream, call.operation, place.key.name, outcome, duration)
        )

    def _take_addresses(self, error: str) -> None:
        self._unresolved = error
        before = self.endpoints.keys
        self._leaving.update(self.endpoints.update(self._lookup.endpoints, self._clock()))
        self._close_idle()
        after = self.endpoints.keys
        if self._events.sinks and (error or before != after):
            names = tuple(endpoint.name for endpoint in after)
            self._events.emit(Resolved(self._runtime.upstream, "", names, error))

    def _close_idle(self) -> None:
        """Close the connections to removed endpoints whose calls have ended."""
        for place in [place for place in self._leaving if not place.in_flight]:
            self._leaving.discard(place)
            self._runtime.spawn(_close(place.target))


async def _close(connector: Connector) -> None:
    await connector.aclose()


def _outcome(error: BaseException, *, is_fault: bool) -> str:
    if isinstance(error, UpstreamError):
        return error.code
    if isinstance(error, asyncio.CancelledError):
        return "timeout" if is_fault else "cancelled"
    return type(error).__name__
