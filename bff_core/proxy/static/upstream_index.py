"""The index of a single-page app that an upstream has, such as a CDN."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.types import Scope as ASGIScope

from bff_core.cache.dates import parse_http_date
from bff_core.call import Headers, Reply, find_header
from bff_core.errors import BadStatus
from bff_core.http_exchange.request_context import SCOPE
from bff_core.proxy.static.page_headers import DEFAULT_POLICY
from bff_core.proxy.static.representation import Representation
from bff_core.proxy.static.stored_file import StoredFile, encoders_for
from bff_core.scope import Scope
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest

ACCEPT_HTML: Headers = ((b"accept", b"text/html"),)
HTML: Final = "text/html; charset=utf-8"

NO_STATUS: Final[frozenset[int]] = frozenset()
"""That the upstream has no index is not the client's fault: a 404 is answered 502."""


class UpstreamIndex:
    """Loads the index through the upstream's stack; its cache decides how often that is a call.

    The reply is shared by all viewers. `headers` are those of the answer besides its content. A
    content security policy of the upstream replaces the default one.
    """

    __slots__ = ("_headers", "_reply", "_request", "_stored", "_upstream")

    def __init__(self, upstream: Callable[[], Upstream], path: str, headers: Headers) -> None:
        self._upstream = upstream
        self._headers = headers
        self._request = ForwardedRequest(
            method="GET",
            target=path,
            audience=None,
            headers=ACCEPT_HTML,
            operation=f"GET {path}",
            is_streamed=False,
        )
        self._reply: Reply | None = None
        self._stored: StoredFile | None = None

    async def load(self, scope: ASGIScope) -> StoredFile:
        """Return the index; raises `UpstreamError` if there is none."""
        upstream, request = self._upstream(), scope.get(SCOPE)
        bound = upstream.bind(request) if isinstance(request, Scope) else upstream
        reply = await bound.forward(self._request)
        if reply.status != HTTPStatus.OK:
            call = bound.forwarded(self._request)
            raise BadStatus(reply, call=call, passes_through=NO_STATUS)
        known = self._reply
        if self._stored is None or known is None or known.body is not reply.body:
            self._reply, self._stored = reply, self._file(reply)
        return self._stored

    def _file(self, reply: Reply) -> StoredFile:
        content_type = reply.header("content-type") or HTML
        changed = parse_http_date((reply.header("last-modified") or "").encode("latin-1"))
        headers, policy = self._headers, find_header(reply.headers, DEFAULT_POLICY[0])
        if policy is not None:
            own = (DEFAULT_POLICY[0], policy)
            headers = tuple(own if one == DEFAULT_POLICY else one for one in headers)
        body = reply.content
        return StoredFile(
            plain=Representation(
                content_type.encode("latin-1"), headers, body=body, size=len(body)
            ),
            coded={},
            encoders=encoders_for(body, content_type),
            shared=headers,
            modified=None if changed is None else int(changed),
        )
