"""Between deadline and retry: equal reads that are under way together become one call."""

import asyncio

from bff_core.cache.directives import cache_control
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Handler, Headers, Reply, find_header
from bff_core.events import Coalesced
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.runtime import Runtime

Key = tuple[str, str, str | None, Headers, bytes | StreamedBody, tuple[object, int] | None]

Waiter = asyncio.Future[Reply | None]
"""Who waits for a flight; None tells it to take the lead."""

Flight = dict[Waiter, None]
"""Its waiters, in the order of arrival; empty while nobody but the leader is aboard."""


class CoalesceLayer:
    """Lets the first caller lead a flight, inline, and others with an equal call wait for it.

    Calls are equal only for the same audience, which is one viewer unless the upstream's replies
    are public. A failure is shared with the waiters present. When the leader is cancelled, or out
    of its own time, the first waiter leads on and sends again; without waiters the flight is
    forgotten. A waiter that leaves fails nobody. Where replies are kept nobody joins a flight whose
    author said otherwise of the cache, nor one that took off before a purge: it may bring what was
    purged. A read that says `no-cache` wants what the service says from now on: it neither joins a
    flight nor is joined.
    """

    __slots__ = ("_clock", "_events", "_flights", "_loop", "_store", "_upstream", "inner")

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

    def __repr__(self) -> str:
        return f"coalesce   {len(self._flights)} flights"

    async def __call__(self, call: Call) -> Reply:
        """Lead a flight, or wait for the one that is under way."""
        if not call.is_safe or _is_asked_anew(call):
            return await self.inner(call)
        kept = None if self._store is None else (call.cache, self._store.mark())
        key = (call.target, call.method, call.audience, call.headers, call.body, kept)
        flight = self._flights.get(key)
        if flight is None:
            return await self._lead(key, call, {})
        if self._events.sinks:
            self._events.emit(Coalesced(self._upstream, call.operation))
        return await self._follow(key, call, flight)

    async def _lead(self, key: Key, call: Call, flight: Flight) -> Reply:
        self._flights[key] = flight
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
        del self._flights[key]
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
                self._hand_over(key, flight)  # it left in the very moment it was to lead
            raise
        return await self._lead(key, call, flight) if reply is None else reply

    def _fail(self, key: Key, flight: Flight, error: Exception) -> None:
        del self._flights[key]
        for waiter in flight:
            if not waiter.done():
                waiter.set_exception(error)

    def _hand_over(self, key: Key, flight: Flight) -> None:
        """Let the first who still waits lead, or forget the flight."""
        while flight:
            waiter = next(iter(flight))
            del flight[waiter]
            if not waiter.done():
                waiter.set_result(None)
                return
        del self._flights[key]


def _is_asked_anew(call: Call) -> bool:
    said = find_header(call.headers, b"cache-control")
    return said is not None and cache_control(said).no_cache


def _is_lead(waiter: Waiter) -> bool:
    return waiter.exception() is None and waiter.result() is None
