"""Compression of answers, and 304 for clients that have the same bytes already."""

import asyncio
from functools import lru_cache

from starlette.responses import FileResponse
from starlette.types import Message, Send

from bff_core.cache.validation import matches
from bff_core.call import find_header
from bff_core.edge.concern import HTTP_ONLY
from bff_core.edge.entity_tags import Fields, coded, without_content
from bff_core.http_exchange.request_context import RequestContext
from bff_core.policy.edge.negotiation import preferences
from bff_core.upstream.transport.content_coding import ENCODERS

MIN_BYTES = 1024
"""The smallest body that is compressed; a smaller one fits into one packet anyway."""

THREAD_BYTES = 256 * 1024
"""The smallest body that a thread compresses, since that takes about 5 ms."""

CONDITIONAL = frozenset({"GET", "HEAD"})
"""Methods whose answer may be a 304 (RFC 9110, section 13.1.2)."""

COMPRESSIBLE = (b"application/json", b"application/problem+json", b"application/graphql", b"text/")

CODED_OR_PARTIAL = frozenset({b"content-encoding", b"content-range"})
"""Headers of an answer that is encoded already, or is a range of another answer."""

FILE_CHUNK_BYTES = FileResponse.chunk_size
"""The smallest file that Starlette sends in several chunks."""

OF_PLAIN_BYTES = frozenset({b"accept-ranges", b"content-length"})
"""Headers that hold for the plain bytes only: the compressed bytes have no ranges."""


class Compression:
    """After all concerns that may refuse: compresses answers, and sends a 304 for known ones.

    An answer in one chunk is compressed if that pays, and gets an entity tag of its own. A client
    that has these bytes gets a 304 instead. Streams pass unchanged, so that each line arrives at
    once. Answers with a content coding, a range or `Cache-Control: no-transform` are not
    compressed.
    """

    __slots__ = ()
    kinds = HTTP_ONLY

    def check(self, context: RequestContext) -> None:
        """Choose a content coding."""
        # Also without a coding: a cache has to know that another client may get another coding.
        context.scope.vary.append("accept-encoding")
        accepted = context.fields.get(b"accept-encoding")
        coding = choose(accepted) if accepted else None
        held = context.fields.get(b"if-none-match") if context.scope.method in CONDITIONAL else None
        if coding is not None or held is not None:
            context.send = _EncodedSend(coding, held, context, context.send)


class _EncodedSend:
    """A `send` that holds the head back until the first chunk of the body arrives.

    `held` is the `If-None-Match` of the client: the entity tags that it has; None without one.
    """

    __slots__ = ("_coding", "_context", "_head", "_held", "_is_over", "_send")

    def __init__(
        self, coding: bytes | None, held: bytes | None, context: RequestContext, send: Send
    ) -> None:
        self._coding = coding
        self._held = held
        self._context = context
        self._send = send
        self._head: Message | None = None
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._context.is_stream:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            if message["type"] == "http.response.body":
                head, message = await self._encoded(head, message)
            await self._send(head)
        elif self._is_over:
            return
        await self._send(message)

    async def _encoded(self, head: Message, message: Message) -> tuple[Message, Message]:
        """Return the head and the first chunk of an answer, as this client gets them."""
        headers = list(head.get("headers", ()))
        body = message.get("body", b"")
        is_whole = not message.get("more_body", False)
        coding = self._coding if is_whole and _is_compressible(headers, body) else None
        if coding is not None:
            headers = [_coded(field, coding) for field in headers if field[0] not in OF_PLAIN_BYTES]
        if self._is_known(head["status"], headers):
            self._is_over = True
            known = {**head, "status": 304, "headers": without_content(headers)}
            return known, {**message, "body": b"", "more_body": False}
        if coding is not None:
            headers.append((b"content-encoding", coding))
            if body:  # the answer to a HEAD has none, and its compressed length is unknown
                body = await _compressed(body, coding)
                headers.append((b"content-length", b"%d" % len(body)))
        return {**head, "headers": headers}, {**message, "body": body}

    def _is_known(self, status: int, headers: Fields) -> bool:
        if self._held is None or status != 200:
            return False
        tag = find_header(tuple(headers), b"etag")
        return tag is not None and matches(self._held, tag)


def _coded(field: tuple[bytes, bytes], coding: bytes) -> tuple[bytes, bytes]:
    return (b"etag", coded(field[1], coding)) if field[0] == b"etag" else field


async def _compressed(body: bytes, coding: bytes) -> bytes:
    encode = ENCODERS[coding]
    return encode(body) if len(body) < THREAD_BYTES else await asyncio.to_thread(encode, body)


def _is_compressible(headers: Fields, body: bytes) -> bool:
    """Whether to compress an answer; the answer to a HEAD has the length that a GET would have."""
    if 0 < len(body) < MIN_BYTES:
        return False
    fields = dict(headers)
    declared = fields.get(b"content-length", b"")
    length = int(declared) if declared.isdigit() else 0
    is_in_chunks = b"accept-ranges" in fields and length >= FILE_CHUNK_BYTES
    return (
        (len(body) or length) >= MIN_BYTES
        and not is_in_chunks  # a GET would send this file in several chunks
        and fields.get(b"content-type", b"").lower().startswith(COMPRESSIBLE)
        and fields.keys().isdisjoint(CODED_OR_PARTIAL)
        and not any(
            b"no-transform" in value.lower() for name, value in headers if name == b"cache-control"
        )
    )


@lru_cache(maxsize=256)
def choose(accepted: bytes) -> bytes | None:
    """Return the coding that a client prefers (RFC 9110, section 12.5.3), or None.

    Among equal weights the order is zstd, br, gzip.
    """
    weights = dict(reversed(preferences(accepted)))
    rest = weights.get(b"*", 0.0)
    weighted = [(weights.get(coding, rest), coding) for coding in ENCODERS]
    weight, coding = max(weighted, key=lambda pair: pair[0])
    return coding if weight > 0 and weight >= weights.get(b"identity", 0.0) else None
