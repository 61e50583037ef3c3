"""Between retry and bulkhead: the circuit breaker of an upstream."""

from functools import partial

from bff_core.call import Call, Handler, Reply
from bff_core.errors import CircuitOpen, UpstreamError
from bff_core.events import BreakerChanged, CallRejected
from bff_core.policy.upstream.breaker import Breaker, Circuit
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault
from bff_core.upstream.runtime import Runtime


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
            self._report(call, now)
        if call.is_streamed and not isinstance(reply.body, bytes):
            reply.body.on_end(partial(self._take_end, call, period))
        return reply

    def _refuse(self, call: Call, now: float) -> CircuitOpen:
        if self._runtime.events.sinks:
            self._runtime.events.emit(
                CallRejected(call.upstream, call.operation, "circuit_open", span=call.span)
            )
        return CircuitOpen(
            f"the circuit is {self.circuit.state}",
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
            self._report(call, now)

    def _take_end(self, call: Call, period: int, error: BaseException | None) -> None:
        """Count the body of a streamed reply that broke off."""
        now = self._clock()
        if isinstance(error, UpstreamError) and is_upstream_fault(error, call, now=now, duration=0):
            self.circuit.fail_late(period, now)
            if self.circuit.period != self._period:
                self._report(call, now)

    def _report(self, call: Call, now: float) -> None:
        """Emit the circuit's change of state."""
        circuit = self.circuit
        self._period = circuit.period
        if self._runtime.events.sinks:
            retry_after = circuit.retry_after(now) if circuit.state == "open" else 0.0
            event = BreakerChanged(
                call.upstream, call.operation, circuit.state, retry_after, span=call.span
            )
            self._runtime.events.emit(event)
