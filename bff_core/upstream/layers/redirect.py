"""Between deadline and purge: follows redirects within the service's own origin."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace

from bff_core.call import MAX_ERROR_BODY_BYTES, Call, Handler, Reply
from bff_core.errors import BadStatus
from bff_core.http_statuses import REDIRECTS
from bff_core.policy.upstream.redirect import redirected

_REFERENCES: Final = frozenset({b"location", b"content-location"})


class RedirectLayer:
    """Follows redirects, at most `limit` of them.

    Each hop passes all inner layers: it is cached and retried by itself, and has the credentials,
    since it stays within the origin. A redirect that is not followed is the reply of the call; so
    is one that answers the offer of a web socket. `origins` are the addresses of the upstream.
    """

    __slots__ = ("_limit", "_origins", "inner")

    def __init__(self, limit: int, origins: Sequence[str], inner: Handler) -> None:
        self.inner = inner
        self._limit = limit
        self._origins = origins

    def __repr__(self) -> str:
        return f"redirect   at most {self._limit} hops within the origin"

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, and follow redirects."""
        reply = await self.inner(call)
        if reply.status not in REDIRECTS or call.web_socket is not None:
            return reply
        return await self._follow(call, reply)

    async def _follow(self, call: Call, reply: Reply) -> Reply:
        """Follow a redirect; raise `BadStatus` if the GET after a write fails.

        The write itself was answered: that failure must not look like a failure of the write.
        """
        at = call
        for _ in range(self._limit):
            hop = redirected(at, reply, self._origins)
            if hop is None or not hop.can_be_sent_again:
                break
            if not hop.is_safe:
                # It is the same write: its attempts count, but not the redirected one.
                del at.trail[-1:]
                hop = replace(hop, trail=at.trail)
            await reply.aclose()
            at, reply = hop, await self.inner(hop)
            if reply.status not in REDIRECTS:
                break
        if at.method != call.method and not 200 <= reply.status < 300:
            raise BadStatus(
                await reply.buffered(MAX_ERROR_BODY_BYTES), call=at, passes_through=frozenset()
            )
        return reply if at is call else self._with_resolved_references(at, reply)

    def _with_resolved_references(self, at: Call, reply: Reply) -> Reply:
        """Return a reply with absolute paths in its references.

        Outer layers would resolve relative ones by the path of the original call.
        """
        base = urlsplit(self._origins[0]).path.rstrip("/") if self._origins else ""
        headers = tuple(
            (name, _absolute(value, base + at.target)) if name in _REFERENCES else (name, value)
            for name, value in reply.headers
        )
        return reply if headers == reply.headers else replace(reply, headers=headers)


def _absolute(reference: bytes, path: str) -> bytes:
    try:
        return urljoin(path, reference.decode("latin-1")).encode("latin-1")
    except ValueError:  # brackets without an IPv6 address
        return reference
