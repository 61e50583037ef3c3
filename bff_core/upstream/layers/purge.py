"""Between deadline and cache: invalidates the cached replies that a write may have changed."""

from asyncio import CancelledError
from collections.abc import Sequence

from bff_core.cache.invalidation import invalidated, url_tag
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Handler, Reply
from bff_core.upstream.runtime import Runtime


class PurgeLayer:
    """After a write, purges its URL, the URLs that the reply names, and the tags of the call.

    Every upstream of a gateway with a cache has this layer, since a write to one may change the
    replies of another. After a success it purges before the reply is returned. It also purges if
    the outcome is unknown: a failure after the write was sent, a 5xx, a client that left.
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
        """Pass the call on, and purge what it may have changed."""
        if call.is_safe:
            return await self.inner(call)
        try:
            reply = await self.inner(call)
        except CancelledError:  # at the deadline, or the client has left
            self._spawn(self._purge(self._indeterminate(call)))
            raise
        except BaseException:  # of the service, or of the client's body in the middle
            await self._purge(self._indeterminate(call))
            raise
        is_known = reply.status < 500
        try:
            await self._purge(
                invalidated(call, reply, self._origins) if is_known else self._indeterminate(call)
            )
        except BaseException:
            await reply.aclose()
            raise
        return reply

    def _indeterminate(self, call: Call) -> tuple[str, ...]:
        """Return the tags of a write whose outcome is unknown; none if it was not sent."""
        return (url_tag(call.upstream, call.target), *call.purges) if call.trail else ()

    async def _purge(self, tags: Sequence[str]) -> None:
        if tags:
            await self._cache.purge(*tags, by="write")
