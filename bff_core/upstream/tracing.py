"""Reports when a call starts and ends, where a sink traces."""

import asyncio

from bff_core.call import Call, Handler, Reply
from bff_core.clock import Clock
from bff_core.errors import BFFError
from bff_core.events import CallEnded, CallStarted, Events


def outcome_of(error: BaseException | None) -> str:
    """Return how the body of a streamed reply ended: `whole`, `closed` or an error code."""
    if error is None:
        return "whole"
    if isinstance(error, asyncio.CancelledError):
        return "closed"
    return code_of(error)


def code_of(error: BaseException) -> str:
    """Return the error code of a call that failed, or `cancelled`."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return error.code if isinstance(error, BFFError) else type(error).__name__


async def traced(call: Call, handler: Handler, events: Events, clock: Clock) -> Reply:
    """Send a call that has a span, and emit its start and its end."""
    started, outcome, source, size = clock(), "cancelled", "", 0
    events.emit(CallStarted(call.upstream, call.operation, call.method, span=call.span))
    try:
        reply = await handler(call)
        outcome, source = str(reply.status), reply.source
        size = len(reply.body) if isinstance(reply.body, bytes) else 0
    except Exception as error:
        outcome = code_of(error)
        raise
    finally:
        ended = CallEnded(
            call.upstream, call.operation, outcome, source, clock() - started, size, span=call.span
        )
        events.emit(ended)
    return reply
