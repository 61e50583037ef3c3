"""A service's reply as the answer to a client."""

import re
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.cache.dates import parse_http_date
from bff_core.call import Reply
from bff_core.edge.entity_tags import Fields, without_content
from bff_core.forwarding.request import READS, after_upload
from bff_core.http_exchange.request_context import declare_stream
from bff_core.http_statuses import WITHOUT_BODY

_entity_tags: Final = re.compile(r'(?:W/)?("[^"]*")').findall


class ForwardedResponse(StreamingResponse):
    """A service's reply as the answer to a client, of any status, sent while it arrives.

    A complete reply that the client holds already is answered 304 (RFC 9110, section 13.2.2); one
    from a cache has its `Age`. Raises `RuntimeError` for a streamed reply that was read before.
    """

    def __init__(self, reply: Reply, request: Request) -> None:
        if not isinstance(reply.body, bytes) and (reply.body.size or reply.body.is_over):
            raise RuntimeError("the body of this reply was read: it can't be forwarded any more")
        headers, reply = answered(reply, request.method, request.headers)
        super().__init__(aiter(reply), status_code=reply.status)
        self.raw_headers = headers
        self._reply = reply

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send the reply; its body ends with the answer, however that ends."""
        async with aclosing(self._reply):
            if not self._reply.is_buffered:
                declare_stream(scope)
            await super().__call__(scope, after_upload(scope, receive), send)


def answered(reply: Reply, method: str, sent_by_client: Headers) -> tuple[Fields, Reply]:
    """Return the headers of an answer, and its reply: a 304 if the client holds a complete one."""
    headers = fields_of(reply, method)
    if reply.is_buffered and _is_unchanged(reply, method, sent_by_client):
        return without_content(headers), Reply(304)
    return headers, reply


def fields_of(reply: Reply, method: str) -> Fields:
    """Return the header fields of a reply: with its age, and with the length that is sent."""
    fields = list(reply.headers)
    if reply.source != "upstream":
        fields = [field for field in fields if field[0] != b"age"]
        fields.append((b"age", b"%d" % reply.age))
    if reply.status == HTTPStatus.NO_CONTENT:
        fields = [field for field in fields if field[0] != b"content-length"]
    if reply.is_buffered and method != "HEAD" and reply.status not in WITHOUT_BODY:
        fields = [field for field in fields if field[0] != b"content-length"]
        fields.append((b"content-length", b"%d" % len(reply.content)))
    return fields


def _is_unchanged(reply: Reply, method: str, sent_by_client: Headers) -> bool:
    """Whether the client holds this reply, by its tag or else by its date."""
    if reply.status != 200 or method not in READS:
        return False
    held = ", ".join(sent_by_client.getlist("if-none-match"))
    if held:
        tag = _entity_tags(reply.header("etag") or "")
        return bool(tag) and (held.strip() == "*" or tag[0] in _entity_tags(held))
    since = parse_http_date(sent_by_client.get("if-modified-since", "").encode("latin-1"))
    modified = parse_http_date(
        (reply.header("last-modified") or reply.header("date") or "").encode("latin-1")
    )
    return since is not None and modified is not None and modified <= since
