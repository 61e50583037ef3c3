"""Decides at the start of a request whether its trace is sampled."""

from collections.abc import Callable

from bff_core.events.sinks import Span
from bff_core.observe.otel_options import OTelOptions

BITS = 64
"""The bits of the trace id that decide, as in the SDK's `TraceIdRatioBased`."""


def sampler(options: OTelOptions) -> Callable[[Span], bool]:
    """Return the sampler of `OTEL_TRACES_SAMPLER`: of the root, or by the flag of the parent.

    The same trace id has the same decision in each process.
    """
    bound = {"always_on": 1 << BITS, "always_off": 0}.get(options.root)
    if bound is None:
        bound = round(options.ratio * (1 << BITS))

    def is_below(span: Span) -> bool:
        return int(span.trace_id[16:], 16) < bound

    def is_sampled(span: Span) -> bool:
        return span.is_sampled if span.parent_id else is_below(span)

    return is_sampled if options.is_parent_based else is_below
