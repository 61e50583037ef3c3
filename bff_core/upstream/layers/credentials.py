"""Between attempt and balance, and on the streaming road: proves to the service who calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bff_core.call import Call, Headers, Reply
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.transport.interface import StreamedReply
from bff_core.upstream.vault import Source

UNAUTHORIZED = 401


class CredentialsLayer:
    """Adds what a service asks for, in place of what the call may say under the same names.

    A 401 is answered with other credentials once, where there are others: the service has done
    nothing yet, so that any method may be sent again. They go to the addresses of the upstream and
    nowhere else; redirects are not followed.
    """

    __slots__ = ("_name", "_source", "inner")

    def __init__(self, name: str, source: Source, inner: Balancer) -> None:
        self.inner = inner
        self._name = name
        self._source = source

    def __repr__(self) -> str:
        return f"credential {self._name}"

    async def __call__(self, call: Call) -> Reply:
        """Send the call with credentials."""
        headers = await self._source.headers(call)
        reply = await self.inner(_with(call, headers))
        if reply.status != UNAUTHORIZED or not headers:
            return reply
        fresh = await self._source.renewed(call, headers)
        return reply if fresh is None else await self.inner(_with(call, fresh))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[StreamedReply]:
        """Open a reply with credentials."""
        headers = await self._source.headers(call)
        async with self.inner.stream(_with(call, headers)) as reply:
            if reply.status != UNAUTHORIZED or not headers:
                yield reply
                return
            fresh = await self._source.renewed(call, headers)
            if fresh is None:
                yield reply
                return
        async with self.inner.stream(_with(call, fresh)) as reply:
            yield reply


def _with(call: Call, headers: Headers) -> Call:
    if not headers:
        return call
    names = {name for name, _ in headers}
    kept = tuple(field for field in call.headers if field[0] not in names)
    return replace(call, headers=(*kept, *headers))
