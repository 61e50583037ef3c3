"""Shadow traffic: copies of requests go to a second upstream, whose replies are compared."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from math import inf
from typing import Final, Literal

from msgspec.structs import replace

from bff_core.call import Headers, Reply
from bff_core.clock import Chance, Clock, chance, monotonic
from bff_core.errors import BFFError, ConfigurationError, DeadlineExceeded
from bff_core.events import MirrorCompared, MirrorDropped
from bff_core.events.sinks import running_span
from bff_core.proxy.compared_reply import ComparedReply, ReplyComparison, compared
from bff_core.proxy.json_paths import json_paths
from bff_core.proxy.splitting import GetEvents, no_events
from bff_core.proxy.traffic import Mirror
from bff_core.scope import Scope, current_request
from bff_core.upstream.caller import spawn_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.runtime import Spawn
from bff_core.upstream.tracing import code_of

MARKER: Final = (b"mirrored-request", b"?1")
"""The header field of each copy, a boolean (RFC 9651). A request that has it is not copied."""

NOT_COPIED: Final = frozenset({
    *(b"authorization", b"cookie", b"proxy-authorization", b"dpop", b"x-api-key"),
    *(b"client-cert", b"client-cert-chain", b"x-forwarded-client-cert", b"idempotency-key"),
    MARKER[0],
})  # fmt: skip
"""Fields that copies don't have: the credentials of viewers, and those of writes."""

COPIED_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
COMPARED: Final = frozenset({"status", "json"})
CONDITIONS: Final = frozenset({b"if-none-match", b"if-modified-since"})
THREAD_BYTES: Final = 256 * 1024
"""Where larger bodies may be compared, a thread does it: it takes over 5 ms."""

MAX_WAIT_SECONDS: Final = 60.0
"""How long a copy waits for the end of the client's answer; then it counts as `unfinished`."""


class MirroredReply:
    """The route's own reply to a request that was copied, as the forwarder reads it.

    Call `head` with its status and header fields before transforms, `piece` with each piece of its
    body as it arrived (with its content coding), and `end` in any case: without `head` if there is
    no reply, with `is_whole=False` if the body was cut off. None of them waits.
    """

    __slots__ = ("_clock", "_ended", "_started", "recorded", "seconds")

    def __init__(self, recorded: ComparedReply, clock: Clock, ended: asyncio.Future[None]) -> None:
        self.recorded = recorded
        self.seconds = 0.0
        self._clock = clock
        self._started = clock()
        self._ended = ended

    def head(self, status: int, headers: Headers) -> None:
        """Note the head of the reply."""
        self.seconds = self._clock() - self._started
        self.recorded.head(status, headers)
        if not self.recorded.has_body:
            self._settle()

    def piece(self, data: bytes) -> None:
        """Note a piece of the body; a body that is too large is not stored."""
        if not self._ended.done():
            self.recorded.piece(data)
            if self.recorded.is_too_large:
                self._settle()

    def end(self, *, is_whole: bool = True) -> None:
        """End the reply: now it is compared."""
        if not self._ended.done():
            self.recorded.is_whole = is_whole
            self._settle()

    def _settle(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


class Mirroring:
    """Copies requests of a route to its mirror, and reports how the replies compare.

    `upstream` returns the mirror's client when it is needed. A copy is sent once, without retries,
    hedges, caches and queues, and has the timeout of the mirror's policy, also after the client has
    disconnected. It has the viewer for the credentials of that policy, and none of the client's
    own. At most `concurrent` copies are under way (`in_flight`): they store up to twice `max_body`
    each, and what that decodes to while it is compared.

    `events` returns the sinks of the gateway. `spawn` starts copies; by default they are background
    work of the gateway that the mirror's upstream belongs to, and end with it.

    Raises `ConfigurationError` for methods that change something, and for a `compare` or `ignore`
    that is not known.
    """

    def __init__(
        self,
        route_id: str,
        mirror: Mirror,
        upstream: Callable[[], Upstream],
        *,
        events: GetEvents = no_events,
        spawn: Spawn | None = None,
        chance: Chance = chance,
        clock: Clock = monotonic,
    ) -> None:
        check_mirror(mirror)
        self.route_id = route_id
        self.name = mirror.to if isinstance(mirror.to, str) else mirror.to.name
        self.in_flight = 0
        self._mirror = mirror
        self._share = mirror.percent / 100
        self._ignored = json_paths(mirror.ignore)
        self._upstream = upstream
        self._events = events
        self._spawn = spawn
        self._chance = chance
        self._clock = clock

    def begin(self, request: ForwardedRequest) -> MirroredReply | None:
        """Send a copy of a request to the mirror; None if this request is not copied.

        The copy is what the route sends, after its transforms. Requests are drawn by `percent`.
        """
        mirror = self._mirror
        if request.method not in mirror.methods or self._chance() >= self._share:
            return None
        if any(name.lower() == MARKER[0] for name, _ in request.headers):
            return None  # a mirror of a mirror, which may be this gateway
        if not isinstance(request.body, bytes):
            self._drop("body")
            return None
        if self.in_flight >= mirror.concurrent:
            self._drop("busy")
            return None
        spawn = self._spawn or spawn_of(self._upstream())
        ended = asyncio.get_running_loop().create_future()
        own = MirroredReply(self._recorded(request), self._clock, ended)
        self.in_flight += 1
        # A task that is cancelled before it starts does not run its `finally`.
        copy = spawn(self._copy(request, own, ended, current_request.get()))
        copy.add_done_callback(self._release)
        return own

    def _recorded(self, request: ForwardedRequest) -> ComparedReply:
        has_body = "json" in self._mirror.compare and request.method != "HEAD"
        return ComparedReply(self._mirror.max_body if has_body else None)

    def _drop(self, reason: Literal["busy", "body"]) -> None:
        events = self._events()
        if events.sinks:
            events.emit(MirrorDropped(self.route_id, self.name, reason))

    def _release(self, _: asyncio.Task[None]) -> None:
        self.in_flight -= 1

    async def _copy(
        self,
        request: ForwardedRequest,
        own: MirroredReply,
        ended: asyncio.Future[None],
        scope: Scope | None,
    ) -> None:
        """Send the copy, wait for the end of the client's answer, and report."""
        other, started = self._recorded(request), self._clock()
        reason = await self._send(request, other, scope)
        seconds = self._clock() - started
        with suppress(TimeoutError):
            await asyncio.wait_for(ended, MAX_WAIT_SECONDS)
        found = ReplyComparison("failed", reason=reason or "no_reply")
        if not reason and own.recorded.status:
            found = await self._compared(own.recorded, other, _is_conditional(request))
        events = self._events()
        if events.sinks:
            events.emit(self._event(found, own, other, seconds))

    async def _send(
        self, request: ForwardedRequest, other: ComparedReply, scope: Scope | None
    ) -> str:
        """Record the mirror's reply; return why there is none as an error code, else nothing."""
        upstream = self._upstream().bind(_scope_of_copy(request, scope))
        call = upstream.forwarded(_copy_of(request, scope))
        call = replace(call, is_hedge=True)  # which is neither queued nor sent again
        try:
            async with asyncio.timeout(call.deadline - self._clock()):
                await _record(await upstream.reply(call), other)
        except (BFFError, TimeoutError) as error:
            return DeadlineExceeded.code if isinstance(error, TimeoutError) else code_of(error)
        return ""

    async def _compared(
        self, own: ComparedReply, other: ComparedReply, is_conditional: bool
    ) -> ReplyComparison:
        compare = partial(
            compared,
            own,
            other,
            with_status="status" in self._mirror.compare,
            is_conditional=is_conditional,
            ignored=self._ignored,
        )
        if self._mirror.max_body <= THREAD_BYTES:
            return compare()
        return await asyncio.to_thread(compare)

    def _event(
        self, found: ReplyComparison, own: MirroredReply, other: ComparedReply, seconds: float
    ) -> MirrorCompared:
        return MirrorCompared(
            self.route_id,
            self.name,
            found.outcome,
            own.recorded.status,
            other.status,
            found.differences,
            found.reason,
            found.is_body_compared,
            own.seconds,
            seconds,
        )


def check_mirror(mirror: Mirror) -> None:
    """Raise `ConfigurationError` for a mirror that can't be."""
    if unsafe := sorted(set(mirror.methods) - COPIED_METHODS):
        raise ConfigurationError(
            f"Mirror(methods={mirror.methods!r}): {unsafe[0]} may change something, and would "
            f"do so twice: a mirror gets {', '.join(sorted(COPIED_METHODS))}"
        )
    if not mirror.compare or set(mirror.compare) - COMPARED:
        raise ConfigurationError(
            f"Mirror(compare={mirror.compare!r}): it is one or both of status and json"
        )
    json_paths(mirror.ignore)


def _copy_of(request: ForwardedRequest, scope: Scope | None) -> ForwardedRequest:
    """Return the request without the client's credentials, and with the marker."""
    dropped = NOT_COPIED if scope is None else NOT_COPIED | scope.credential_fields
    headers = tuple(field for field in request.headers if field[0].lower() not in dropped)
    return replace(request, headers=(*headers, MARKER), is_streamed=True, with_credentials=False)


def _scope_of_copy(request: ForwardedRequest, scope: Scope | None) -> Scope:
    """Return a scope for the copy alone: that of the request may end before."""
    if scope is None:
        return Scope(deadline=inf, method=request.method)
    return Scope(
        deadline=inf,
        method=request.method,
        audience=scope.audience,
        viewer=scope.viewer,
        request_id=scope.request_id,
        traceparent=scope.traceparent,
        tracestate=scope.tracestate,
        tenant=scope.tenant,
        token=scope.token,
        span=running_span.get(),
        wall=scope.wall,
    )


async def _record(reply: Reply, other: ComparedReply) -> None:
    async with aclosing(reply):
        other.head(reply.status, reply.headers)
        if other.wants_more:
            async for piece in reply:
                other.piece(piece)
                if not other.wants_more:
                    return
        other.is_whole = True


def _is_conditional(request: ForwardedRequest) -> bool:
    return any(name.lower() in CONDITIONS for name, _ in request.headers)
