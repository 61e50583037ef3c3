"""Between deadline and cache: what a write may have changed is purged."""

from asyncio import CancelledError
from collections.abc import Sequence

from bff_core.cache.invalidation import invalidated, url_tag
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Handler, Reply
from bff_core.errors import UpstreamError
from bff_core.upstream.runtime import Runtime


class PurgeLayer:
    """Purges, after a write, its URL, what the reply names and what the call declares.

    It is there for every upstream of a gateway that has a cache: what is written to one may change
    what another says. A success has purged before its reply goes on. Where nobody knows whether
    the write was done (a failure after it was sent, a 5xx, a client that left) it is purged, too.
    `origins` are the addresses of the upstream, see `invalidated`.
    """

    __slots__ = ("_cache", "_origins", "_spawn", "inner")

    def __init__(
        self, cache: ResponseCache, origins: Sequence[str], runtime: Runtime, inner: Handler
    ) -> None:
        self.inner = inner
        self._cache = cache
        self._origins = origins
        self._spawn = runtime.spawn

    def __repr__(self) -> str:
        return "purge      what writes change"

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, and purge what it changed."""
        if call.is_safe:
            return await self.inner(call)
        try:
            reply = await self.inner(call)
        except UpstreamError:
            await self._purge(self._doubtful(call))
            raise
        except CancelledError:  # whoever called is out of time, or gone
            self._spawn(self._purge(self._doubtful(call)))
            raise
        is_known = reply.status < 500
        await self._purge(
            invalidated(call, reply, self._origins) if is_known else self._doubtful(call)
        )
        return reply

    def _doubtful(self, call: Call) -> tuple[str, ...]:
        """Return what a write may have changed that ended nobody knows how; sent it was."""
        return (url_tag(call.upstream, call.target), *call.purges) if call.trail else ()

    async def _purge(self, tags: Sequence[str]) -> None:
        if tags:
            await self._cache.purge(*tags, by="write")
