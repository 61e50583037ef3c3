"""Between retry and bulkhead: the circuit breaker of an upstream."""

from functools import partial

from bff_core.call import Call, Handler, Reply
from bff_core.errors import CircuitOpen, UpstreamError
from bff_core.events import BreakerChanged, CallRejected, Span
from bff_core.policy.upstream.breaker import Breaker, Circuit
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import BreakerState


class BreakerLayer:
    """Records the outcomes of calls, and raises `CircuitOpen` while the circuit is open.

    The wait of a call for a permit of the bulkhead is not part of its latency. A streamed reply
    counts when its head has arrived, and as a failure if its body breaks off.
    """

    __slots__ = ("_clock", "_period", "_runtime", "circuit", "inner")

    def __init__(self, options: Breaker, runtime: Runtime, inner: Handler) -> None:
        self.inner = inner
        self.circuit = Circuit(options, runtime.chance)
        self._runtime = runtime
        self._clock = runtime.clock
        self._period = self.circuit.period

    def __repr__(self) -> str:
        options = self.circuit.options
        slow = "" if options.slow_call is None else f" or over {options.slow_call:g} s"
        return (
            f"breaker    {self.circuit.state}, opens when {options.failure_ratio:.0%} of"
            f" ≥ {options.minimum_calls} calls in {options.window:g} s fail{slow}"
        )

    @property
    def is_open(self) -> bool:
        """Whether every call is refused now; False as soon as a call may probe."""
        return self.circuit.is_refusing(self._clock())

    @property
    def forced_for(self) -> float:
        """For how many seconds more an operator has opened it; 0 if none has."""
        now = self._clock()
        return self.circuit.retry_after(now) if self.circuit.is_forced(now) else 0.0

    def state(self) -> BreakerState:
        """Return what operators see."""
        circuit, now = self.circuit, self._clock()
        counts, is_open = circuit.counts(now), circuit.is_refusing(now)
        return BreakerState(
            "half-open" if circuit.state == "open" and not is_open else circuit.state,
            counts.calls,
            counts.failed,
            counts.slow,
            circuit.retry_after(now) if is_open else 0.0,
            is_forced=circuit.is_forced(now),
        )

    def force_open(self, seconds: float) -> None:
        """Refuse all calls for some seconds, as an operator demands."""
        self.circuit.force_open(self._clock(), seconds)
        self._report(self._runtime.upstream, "", None)

    def reset(self) -> bool:
        """Close the circuit, as an operator demands; return False if it is closed."""
        if not self.circuit.reset(self._clock()):
            return False
        self._report(self._runtime.upstream, "", None)
        return True

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on if the circuit admits it, and record its outcome."""
        circuit = self.circuit
        started = self._clock()
        period = circuit.admit(started)
        if period is None:
            raise self._refuse(call, started)
        try:
            reply = await self.inner(call)
        except BaseException as error:
            self._record_error(error, call, period, started)
            raise
        now = self._clock()
        if is_fault_status(reply.status):
            circuit.fail(period, now)
        else:
            circuit.succeed(period, now, now - call.sent_since(started))
        if circuit.period != self._period:
            self._report(call.upstream, call.operation, call.span)
        if call.is_streamed and not isinstance(reply.body, bytes):
            reply.body.on_end(partial(self._take_end, call, period))
        return reply

    def _refuse(self, call: Call, now: float) -> CircuitOpen:
        is_forced = self.circuit.is_forced(now)
        if self._runtime.events.sinks:
            reason = "circuit_forced" if is_forced else "circuit_open"
            self._runtime.events.emit(
                CallRejected(call.upstream, call.operation, reason, span=call.span)
            )
        why = (
            "an operator opened the circuit"
            if is_forced
            else f"the circuit is {self.circuit.state}"
        )
        return CircuitOpen(
            why,
            call=call,
            retry_after=self.circuit.retry_after(now),
        )

    def _record_error(self, error: BaseException, call: Call, period: int, started: float) -> None:
        now = self._clock()
        duration = now - call.sent_since(started)
        if is_upstream_fault(error, call, now=now, duration=duration):
            self.circuit.fail(period, now)
        else:
            self.circuit.forget(period)
        if self.circuit.period != self._period:
            self._report(call.upstream, call.operation, call.span)

    def _take_end(self, call: Call, period: int, error: BaseException | None) -> None:
        """Count the body of a streamed reply that broke off."""
        now = self._clock()
        if isinstance(error, UpstreamError) and is_upstream_fault(error, call, now=now, duration=0):
            self.circuit.fail_late(period, now)
            if self.circuit.period != self._period:
                self._report(call.upstream, call.operation, call.span)

    def _report(self, upstream: str, operation: str, span: Span | None) -> None:
        """Emit the circuit's change of state."""
        circuit, now = self.circuit, self._clock()
        self._period = circuit.period
        if self._runtime.events.sinks:
            retry_after = circuit.retry_after(now) if circuit.state == "open" else 0.0
            event = BreakerChanged(upstream, operation, circuit.state, retry_after, span=span)
            self._runtime.events.emit(event)
