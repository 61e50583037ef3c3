"""Requests in development that want what services answer now, such as a hard reload."""

from bff_core.cache.directives import parse_cache_control
from bff_core.edge.concern import HTTP_ONLY
from bff_core.http_exchange.request_context import RequestContext
from bff_core.scope import MAX_AGE_0


class FreshReads:
    """After the header limits, in development: `Cache-Control: no-cache` bypasses caches.

    Without Cache-Control, `Pragma: no-cache` does the same (RFC 9111, section 5.4). Its reads are
    answered by services, or fail: no stale reply replaces a failure. Replies and the answer are
    stored as usual. In production no client decides how much load services get.
    """

    __slots__ = ()
    kinds = HTTP_ONLY

    def check(self, context: RequestContext) -> None:
        """Let the reads of a request bypass caches, if it wants that."""
        fields = context.fields
        wish = fields.get(b"cache-control", fields.get(b"pragma"))
        if wish is not None and parse_cache_control(wish).no_cache:
            context.scope.cache_control = MAX_AGE_0
