"""Replies that are recorded to be compared: at most so much of a body is stored."""

from typing import Final, NamedTuple

from bff_core.call import Headers, find_header
from bff_core.events.traffic import MirrorOutcome
from bff_core.http_statuses import UNCHANGED, WITHOUT_BODY
from bff_core.proxy.json_differences import differences
from bff_core.proxy.json_paths import JsonPaths
from bff_core.upstream.transport.failures import TooLarge, Undecodable
from bff_core.upstream.transport.hop_by_hop import content_coding
from bff_core.upstream.transport.reply_body import BodyDecoder

ENDLESS: Final = frozenset({
    *(b"text/event-stream", b"application/x-ndjson", b"application/ndjson"),
    *(b"application/jsonl", b"application/x-jsonlines", b"application/json-lines"),
})  # fmt: skip
"""Media types of streams that may never end."""

PARTIAL: Final = 206


MAX_READ_BYTES: Final = 64 * 1024
"""How much of a body is read that is not compared, so that its connection can be used again."""


class ComparedReply:
    """The status of a reply and its body, up to `max_body` bytes; None records no body.

    `status` is 0 before the head. `is_whole` is whether the body has ended.
    """

    __slots__ = (
        "_coding",
        "_max_body",
        "_pieces",
        "_size",
        "is_json",
        "is_whole",
        "status",
        "type",
    )

    def __init__(self, max_body: int | None) -> None:
        self.status = 0
        self.type = b""
        self.is_json = False
        self.is_whole = False
        self._coding: bytes | None = None
        self._max_body = max_body
        self._pieces: list[bytes] = []
        self._size = 0

    def head(self, status: int, headers: Headers) -> None:
        """Note status, media type and content coding."""
        self.status = status
        media = (find_header(headers, b"content-type") or b"").partition(b";")[0].strip().lower()
        self.type = media
        is_json = media == b"application/json" or media.endswith(b"+json")
        self.is_json = is_json and status not in WITHOUT_BODY
        self._coding = content_coding(
            value for name, value in headers if name == b"content-encoding"
        )

    def piece(self, data: bytes) -> None:
        """Store a piece of the body if it is to be compared."""
        self._size += len(data)
        if not self.has_body:
            return
        if self.is_too_large:
            self._pieces.clear()
        else:
            self._pieces.append(bytes(data))

    @property
    def has_body(self) -> bool:
        """Whether its body is recorded."""
        return self._max_body is not None and self.is_json

    @property
    def is_too_large(self) -> bool:
        """Whether its body is larger than what is compared; before it is decoded."""
        return self._max_body is not None and self._size > self._max_body

    @property
    def wants_more(self) -> bool:
        """Whether it is worth reading on."""
        if self.type in ENDLESS:
            return False
        return not self.is_too_large if self.has_body else self._size <= MAX_READ_BYTES

    @property
    def encoded(self) -> tuple[bytes | None, bytes]:
        """The content coding and the body as it arrived."""
        return self._coding, b"".join(self._pieces)

    def text(self) -> bytes:
        """Return the body without content coding; raise `TooLarge` or `Undecodable`."""
        coding, body = self.encoded
        decoder = BodyDecoder(coding, self._max_body)
        text = b"".join(decoder.decode(body)) if body else b""
        decoder.end()
        return text


class ReplyComparison(NamedTuple):
    """How two replies compare."""

    outcome: MirrorOutcome
    differences: tuple[str, ...] = ()
    reason: str = ""
    is_body_compared: bool = False


def compared(
    own: ComparedReply,
    other: ComparedReply,
    *,
    with_status: bool,
    is_conditional: bool,
    ignored: JsonPaths,
) -> ReplyComparison:
    """Compare the replies of a route's own upstream and its mirror, both with a status.

    Bodies are compared if both are JSON or one is, and the statuses are those of whole answers. To
    a conditional request 200 and 304 are the same.
    """
    statuses = {own.status, other.status}
    if is_conditional and statuses == UNCHANGED:
        return ReplyComparison("same")
    if with_status and own.status != other.status:
        return ReplyComparison("status_differs")
    if PARTIAL in statuses or not (own.has_body or other.has_body):
        return ReplyComparison("same")
    if own.is_json != other.is_json:
        return ReplyComparison("body_differs", ("type $",), is_body_compared=True)
    return _bodies(own, other, ignored)


def _bodies(own: ComparedReply, other: ComparedReply, ignored: JsonPaths) -> ReplyComparison:
    if own.is_too_large or other.is_too_large:
        return ReplyComparison("too_large")
    if not own.is_whole:
        return ReplyComparison("failed", reason="unfinished")
    if own.encoded == other.encoded:
        return ReplyComparison("same", is_body_compared=True)
    try:
        found = differences(own.text(), other.text(), ignored)
    except TooLarge:
        return ReplyComparison("too_large")
    except Undecodable:
        return ReplyComparison("failed", reason="coding")
    return ReplyComparison("body_differs" if found else "same", found, is_body_compared=True)
