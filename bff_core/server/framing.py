"""Extracts the framing of a request's body from its head (RFC 9112, section 6)."""

from collections.abc import Iterable


def bare_head(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a minimal head that frames a body as these fields do; empty without a body.

    The names are in lower case. The parser has checked that the fields do not contradict each
    other.
    """
    for name, value in fields:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return b"POST / HTTP/1.1\r\n%b: %b\r\n\r\n" % (name, value)
    return b""
