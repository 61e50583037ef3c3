"""Compression of whole answers, and 304 for clients that hold the same bytes."""

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

SMALLEST = 1024
"""Bytes; less fits into one packet anyway."""

LONG = 256 * 1024
"""Bytes from which on compressing leaves the event loop: about 5 ms of work."""

READING = frozenset({"GET", "HEAD"})
"""Methods whose answer is left out for a client that has it (RFC 9110, section 13.1.2)."""

COMPRESSIBLE = (b"application/json", b"application/problem+json", b"application/graphql", b"text/")

CODED_OR_PARTIAL = frozenset({b"content-encoding", b"content-range"})
"""An answer with one of these fields is encoded already, or a part of another answer."""

PIECE = FileResponse.chunk_size
"""Bytes of a file from which on it is sent in pieces."""

OF_PLAIN_BYTES = frozenset({b"accept-ranges", b"content-length"})
"""Fields that are not true of the compressed bytes: ranges are served of the plain ones only."""


class Compression:
    """After all that may refuse: fits an answer in one piece to what the client accepts and has.

    It is compressed if that is worth it, with an entity tag of its own; to a client that holds
    just these bytes it is a 304 instead. Streams pass unchanged: each of their lines is to arrive
    as soon as it is there. Answers that carry a content coding, a range of the whole or
    `Cache-Control: no-transform` are not compressed.
    """

    __slots__ = ()
    kinds = HTTP_ONLY

    def check(self, context: RequestContext) -> None:
        """Choose a coding."""
        # Whatever is chosen: a cache has to know that another client may get another coding.
        context.scope.vary.append("accept-encoding")
        accepted = context.fields.get(b"accept-encoding")
        coding = choose(accepted) if accepted else None
        held = context.fields.get(b"if-none-match") if context.scope.method in READING else None
        if coding is not None or held is not None:
            context.send = _Fitting(coding, held, context, context.send)


class _Fitting:
    """A `send` that holds the head back until the first piece of the body is known.

    `held` are the tags of what the client has, None where it sends none.
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
                head, message = await self._fitted(head, message)
            await self._send(head)
        elif self._is_over:
            return
        await self._send(message)

    async def _fitted(self, head: Message, message: Message) -> tuple[Message, Message]:
        """Return an answer's head and the first piece of its body as this client is sent them."""
        headers = list(head.get("headers", ()))
        body = message.get("body", b"")
        is_whole = not message.get("more_body", False)
        coding = self._coding if is_whole and _is_worth_it(headers, body) else None
        if coding is not None:
            headers = [_coded(field, coding) for field in headers if field[0] not in OF_PLAIN_BYTES]
        if self._is_known(head["status"], headers):
            self._is_over = True
            known = {**head, "status": 304, "headers": without_content(headers)}
            return known, {**message, "body": b"", "more_body": False}
        if coding is not None:
            headers.append((b"content-encoding", coding))
            if body:  # there is none in the answer to a HEAD, and its length is not known
                body = await _packed(body, coding)
                headers.append((b"content-length", b"%d" % len(body)))
        return {**head, "headers": headers}, {**message, "body": body}

    def _is_known(self, status: int, headers: Fields) -> bool:
        if self._held is None or status != 200:
            return False
        tag = find_header(tuple(headers), b"etag")
        return tag is not None and matches(self._held, tag)


def _is_worth_it(headers: Fields, body: bytes) -> bool:
    """Whether to compress; a HEAD has the length of what a GET would be answered."""
    if not body:
        length = find_header(tuple(headers), b"content-length") or b"0"
        return length.isdigit() and int(length) >= SMALLEST and _is_compressible(headers)
    return len(body) >= SMALLEST and _is_compressible(headers)


def _coded(field: tuple[bytes, bytes], coding: bytes) -> tuple[bytes, bytes]:
    return (b"etag", coded(field[1], coding)) if field[0] == b"etag" else field


async def _packed(body: bytes, coding: bytes) -> bytes:
    encode = ENCODERS[coding]
    return encode(body) if len(body) < LONG else await asyncio.to_thread(encode, body)


def _is_compressible(headers: Fields) -> bool:
    fields = dict(headers)
    return (
        fields.get(b"content-type", b"").lower().startswith(COMPRESSIBLE)
        and fields.keys().isdisjoint(CODED_OR_PARTIAL)
        and not _is_large_file(fields)
        and not any(
            b"no-transform" in value.lower() for name, value in headers if name == b"cache-control"
        )
    )


def _is_large_file(fields: dict[bytes, bytes]) -> bool:
    """Whether a GET sends a file in pieces, and so uncompressed; the answer to a HEAD has none."""
    length = fields.get(b"content-length", b"")
    return b"accept-ranges" in fields and length.isdigit() and int(length) >= PIECE


@lru_cache(maxsize=256)
def choose(accepted: bytes) -> bytes | None:
    """Return the coding that a client likes best (RFC 9110, section 12.5.3), or None for none.

    Among equals it is ours to choose: zstd, br, gzip.
    """
    weights = dict(reversed(preferences(accepted)))
    rest = weights.get(b"*", 0.0)
    liked = [(weights.get(coding, rest), coding) for coding in ENCODERS]
    weight, coding = max(liked, key=lambda pair: pair[0])
    return coding if weight > 0 and weight >= weights.get(b"identity", 0.0) else None
