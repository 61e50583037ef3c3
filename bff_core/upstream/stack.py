"""The order of layers around every call to a service; reads from the outside in."""

from collections.abc import Callable, Sequence

from bff_core.call import Call, Handler
from bff_core.policy.policy import Policy
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.layers.breaker import BreakerLayer
from bff_core.upstream.layers.bulkhead import BulkheadLayer
from bff_core.upstream.layers.coalesce import CoalesceLayer
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.layers.retry import RetryLayer
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Transport
from bff_core.upstream.transport.wire import WireTransport

MakeTransport = Callable[[Policy, Runtime], Transport]
"""Makes the transport of one upstream, inside the running loop."""


def wire(policy: Policy, runtime: Runtime) -> Transport:
    """Return the default transport: HTTP/1.1, ours."""
    return WireTransport(policy.connection, runtime)
