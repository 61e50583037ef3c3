"""Between deadline and retry: merges equal concurrent reads into one call."""

import asyncio

from bff_core.cache.directives import fields_of, parse_cache_control
from bff_core.cache.freshness import CACHE_CONTROL
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Handler, Headers, Reply, find_header
from bff_core.events import Coalesced, Span
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import CoalesceState

Key = tuple[str, str, str | None, Headers, bytes | StreamedBody, tuple[object, int] | None]

Waiter = asyncio.Future[Reply | None]
"""A caller that waits for a flight; the result None makes it the leader."""

Flight = dict[Waiter, None]
"""The waiters of a flight in their order of arrival, without its leader."""


class CoalesceLayer:
    """Single-flight: the first caller leads and makes the call, others with an equal one wait.

    Calls are equal only for the same audience, which is one viewer unless the upstream's replies
    are public. Waiters share a failure. If the leader is cancelled, or reaches its own deadline,
    the first waiter becomes the leader and calls again; without waiters the flight is dropped. A
    waiter that leaves does not affect the others.

    With a cache, a call does not join a flight with other cache options, nor one that began before
    a purge, which may return purged data. A read with `no-cache`, or of a stream, is never
    coalesced.
    """

    __slots__ = (
        "_clock",
        "_events",
        "_flights",
        "_joined",
        "_leading",
        "_loop",
        "_store",
        "_upstream",
        "inner",
    )

    def __init__(
        self, runtime: Runtime, inner: Handler, *, cache: ResponseCache | None = None
    ) -> None:
        self.inner = inner
        self._store = None if cache is None else cache.store
        self._upstream = runtime.upstream
        self._loop = runtime.loop
        self._clock = runtime.clock
        self._events = runtime.events
        self._flights: dict[Key, Flight] = {}
        self._leading: dict[Key, Span] = {}
        self._joined = 0

    def __repr__(self) -> str:
        return f"coalesce   {len(self._flights)} flights"

    def state(self) -> CoalesceState:
        """Return what operators see."""
        waiting = sum(map(len, self._flights.values()))
        return CoalesceState(len(self._flights), waiting, self._joined)

    async def __call__(self, call: Call) -> Reply:
        """Lead a flight, or wait for the one that is running."""
        if not call.is_safe or call.is_streamed or _bypasses_caches(call):
            return await self.inner(call)
        version = None if self._store is None else (call.cache, self._store.mark())
        key = (call.target, call.method, call.audience, call.headers, call.body, version)
        flight = self._flights.get(key)
        if flight is None:
            return await self._lead(key, call, {})
        self._joined += 1
        if self._events.sinks:
            leader = self._leading.get(key)
            event = Coalesced(self._upstream, call.operation, leader, span=call.span)
            self._events.emit(event)
        return await self._follow(key, call, flight)

    async def _lead(self, key: Key, call: Call, flight: Flight) -> Reply:
        self._flights[key] = flight
        if call.span is not None:
            self._leading[key] = call.span
        try:
            reply = await self.inner(call)
        except Exception as error:
            if flight and self._clock() >= call.deadline:
                self._hand_over(key, flight)
            else:
                self._fail(key, flight, error)
            raise
        except BaseException:
            self._hand_over(key, flight)
            raise
        self._drop(key)
        if flight:
            shared = reply.shared
            for waiter in flight:
                if not waiter.done():
                    waiter.set_result(shared)
        return reply

    async def _follow(self, key: Key, call: Call, flight: Flight) -> Reply:
        waiter: Waiter = self._loop.create_future()
        flight[waiter] = None
        try:
            reply = await waiter
        except asyncio.CancelledError:
            flight.pop(waiter, None)
            if waiter.done() and not waiter.cancelled() and _is_lead(waiter):
                self._hand_over(key, flight)  # cancelled in the moment when it became the leader
            raise
        return await self._lead(key, call, flight) if reply is None else reply

    def _fail(self, key: Key, flight: Flight, error: Exception) -> None:
        self._drop(key)
        for waiter in flight:
            if not waiter.done():
                waiter.set_exception(error)

    def _hand_over(self, key: Key, flight: Flight) -> None:
        """Make the first caller that still waits the leader; without one drop the flight."""
        while flight:
            waiter = next(iter(flight))
            del flight[waiter]
            if not waiter.done():
                waiter.set_result(None)
                return
        self._drop(key)

    def _drop(self, key: Key) -> None:
        del self._flights[key]
        if self._leading:
            self._leading.pop(key, None)


def _bypasses_caches(call: Call) -> bool:
    if find_header(call.headers, b"cache-control") is None:
        return False
    return parse_cache_control(fields_of(call.headers, CACHE_CONTROL)[b"cache-control"]).no_cache


def _is_lead(waiter: Waiter) -> bool:
    return waiter.exception() is None and waiter.result() is None
