"""Encoded paths that go to a service: none leads out of the place that it is forwarded to."""

import re
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SENT_AS_IT_IS: Final = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")

# A service may decode `%2F` and `%5C`, and drop what follows `;` or a control, before it resolves
# segments.
_climbs: Final = re.compile(rb"(?:^|[/\\])\.\.?(?:$|[/\\;?#\x00-\x20])").search

# Overlong UTF-8 of ".", "/" and "\", which some decoders accept (RFC 3629, section 10).
_OVERLONG: Final = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"), (b"\xc1\x9c", b"\\"))

_MAX_DECODINGS: Final = 4

_is_plain: Final = re.compile(
    r"(?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@.-]*)*/?"
).fullmatch
_is_sendable: Final = re.compile(r"[!\"$-~]*").fullmatch


def climbs(path: bytes) -> bool:
    """Whether an encoded path has a segment `.` or `..`, however it is spelled."""
    return _climbs(unquote_to_bytes(path)) is not None


def is_unsafe(path: str) -> bool:
    """Whether a service might read an encoded path as another one, however often it decodes it.

    That is one with a segment `.` or `..`, a backslash or a NUL, in any spelling.
    """
    if _is_plain(path):
        return False
    decoded = path.encode("latin-1", "replace")
    for _ in range(_MAX_DECODINGS):
        for overlong, meant in _OVERLONG:
            decoded = decoded.replace(overlong, meant)
        if _climbs(decoded) or b"\\" in decoded or b"\x00" in decoded:
            return True
        if b"%" not in decoded:
            return False
        decoded, before = unquote_to_bytes(decoded), decoded
        if decoded == before:
            return False
    return b"%" in decoded


def sendable(target: str) -> str:
    """Return a target with percent-encoding where a request line needs it, else as it is.

    Characters beyond ASCII are the Latin-1 of the client's bytes.
    """
    if _is_sendable(target):
        return target
    return quote_from_bytes(target.encode("latin-1"), safe=_SENT_AS_IT_IS)
