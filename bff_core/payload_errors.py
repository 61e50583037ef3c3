"""Explains why a reply does not fit its declared type, in one sentence without its values.

Often another program has answered in place of the service: a login page, a proxy, a redirect.
"""

import re
import zlib
from typing import Final

import msgspec

from bff_core.call import Reply

SAMPLE_BYTES: Final = 200
"""Bytes of a reply that a log line of level debug shows."""

_MARKUP: Final = re.compile(rb"\s*<(!doctype html|html|head|body|\?xml|[a-z]+[ >])", re.IGNORECASE)

# The first bytes of formats that are not JSON.
_SIGNATURES: Final = (
    (b"\xef\xbb\xbf", "begins with a byte order mark of UTF-8"),
    (b"\xff\xfe", "is UTF-16, or begins with its byte order mark"),
    (b"\xfe\xff", "is UTF-16, or begins with its byte order mark"),
    (b"\x1f\x8b", "is gzip, which Content-Encoding does not declare"),
    (b"\x28\xb5\x2f\xfd", "is zstd, which Content-Encoding does not declare"),
    (b"\x89PNG", "is a PNG image"),
    (b"\xff\xd8\xff", "is a JPEG image"),
    (b"%PDF", "is a PDF document"),
    (b"PK\x03\x04", "is a ZIP archive"),
)


def describe_mismatch(reply: Reply, model: str, error: Exception, reason: str) -> str:
    """Return why a successful reply does not fit `model`; `reason` is the text of the error."""
    body, media = reply.content, media_type(reply)
    if not body:
        return f"the reply is empty (status {reply.status}), and {model} is expected"
    facts = f"status {reply.status}, Content-Type {media or 'missing'}, {len(body)} bytes"
    return f"the reply {_mismatch(body, media, model, error, reason)} ({facts})"


def describe_line_mismatch(line: bytes, error: Exception, reason: str) -> str:
    """Return why a line of a stream does not fit the declared type."""
    return f"a line {_mismatch(line, '', 'the declared type', error, reason)}"


def _mismatch(body: bytes, media: str, model: str, error: Exception, reason: str) -> str:
    found = _other_format(body, media) if _is_syntax_error(error) else ""
    return f"{found}, not JSON" if found else f"does not fit {model}: {reason}"


def _is_syntax_error(error: Exception) -> bool:
    """Whether an error means that a text is not JSON, rather than JSON of another shape."""
    if type(error).__name__ == "ValidationError":  # that of msgspec, or of pydantic
        return "Invalid JSON" in str(error)
    return isinstance(error, msgspec.DecodeError | UnicodeError)


def media_type(reply: Reply) -> str:
    """Return the media type that a reply declares, without parameters; empty if it is malformed."""
    declared = (reply.header("content-type") or "").partition(";")[0].strip().lower()
    return declared if re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", declared) else ""


def _other_format(body: bytes, media: str) -> str:
    """Return which format a body has that is not JSON; empty for malformed JSON."""
    for signature, what in _SIGNATURES:
        if body.startswith(signature):
            return what
    if _MARKUP.match(body):
        kind = "XML" if media.endswith("xml") or body.lstrip().startswith(b"<?xml") else "HTML"
        return f"is {kind} ({media})" if media else f"is {kind}"
    if _is_deflated(body):
        return "is deflate, which Content-Encoding does not declare"
    if b"\x00" in body[:4]:
        return "is UTF-16 or UTF-32"
    is_other = media and media != "application/json" and not media.endswith("+json")
    return f"is {media}" if is_other else ""


def _is_deflated(body: bytes) -> bool:
    """Whether a body begins like zlib data (RFC 1950)."""
    if len(body) < 2 or body[0] & 0x0F != 8 or (body[0] << 8 | body[1]) % 31:
        return False
    try:
        zlib.decompressobj().decompress(body[:SAMPLE_BYTES], 1)
    except zlib.error:
        return False
    return True
