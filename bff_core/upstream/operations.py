"""What operators may do to the calls to a service, in this process."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from bff_core.errors import InvalidInput, NotFound
from bff_core.upstream.layers.breaker import BreakerLayer
from bff_core.upstream.stack import UpstreamStack

MIN_SECONDS = 1
"""Less has no effect that anyone notices."""

MAX_SECONDS = 3600
"""How long an operator may open a circuit or eject an endpoint; it ends by itself."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Seconds = Annotated[float, msgspec.Meta(ge=MIN_SECONDS, le=MAX_SECONDS)]


class OpenCircuit(msgspec.Struct, forbid_unknown_fields=True, tag="open", tag_field="action"):
    """Open the circuit of a service for some seconds: its parts get their fallbacks at once."""

    upstream: Name
    seconds: Seconds = 60.0


class CloseCircuit(msgspec.Struct, forbid_unknown_fields=True, tag="close", tag_field="action"):
    """Close the circuit of a service, whatever its calls have found."""

    upstream: Name


class EjectEndpoint(msgspec.Struct, forbid_unknown_fields=True, tag="eject", tag_field="action"):
    """Send no calls to an endpoint for some seconds."""

    upstream: Name
    endpoint: Name
    seconds: Seconds = 60.0


class RestoreEndpoint(
    msgspec.Struct, forbid_unknown_fields=True, tag="restore", tag_field="action"
):
    """Send calls to an endpoint again."""

    upstream: Name
    endpoint: Name


UpstreamOperation = OpenCircuit | CloseCircuit | EjectEndpoint | RestoreEndpoint


def operate(stacks: Sequence[UpstreamStack], operation: UpstreamOperation) -> bool:
    """Do it in this process; return False if there was nothing to do.

    Raises `NotFound` for a service or an endpoint that there is not, `InvalidInput` for a circuit
    or an ejection that there can't be.
    """
    stack = next((one for one in stacks if one.name == operation.upstream), None)
    if stack is None:
        known = ", ".join(sorted(one.name for one in stacks))
        raise NotFound(f"No service is called {operation.upstream!r}: there are {known}.")
    match operation:
        case OpenCircuit():
            _breaker(stack).force_open(operation.seconds)
            return True
        case CloseCircuit():
            return _breaker(stack).reset()
        case EjectEndpoint():
            return _eject(stack, operation)
    member = stack.balancer.named(operation.endpoint)
    if member is None:
        raise _no_endpoint(stack, operation.endpoint)
    return stack.balancer.restore(member)


def _breaker(stack: UpstreamStack) -> BreakerLayer:
    if stack.breaker is None:
        raise InvalidInput(
            f"The service {stack.name} has no circuit breaker: its policy has breaker=None."
        )
    return stack.breaker


def _eject(stack: UpstreamStack, operation: EjectEndpoint) -> bool:
    member = stack.balancer.named(operation.endpoint)
    if member is None:
        raise _no_endpoint(stack, operation.endpoint)
    if not stack.balancer.endpoints.may_eject(member):
        raise InvalidInput(
            f"The service {stack.name} has too few other endpoints: all would be used again. Open "
            "its circuit to send no calls at all."
        )
    stack.balancer.eject(member, operation.seconds)
    return True


def _no_endpoint(stack: UpstreamStack, name: str) -> NotFound:
    known = ", ".join(one.name for one in stack.balancer.state())
    return NotFound(
        f"The service {stack.name} has no single endpoint {name!r}: there are "
        f"{known or 'none before its first call'}."
    )
