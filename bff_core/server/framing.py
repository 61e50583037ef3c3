"""How the head of a request frames its body (RFC 9112, section 6)."""

from collections.abc import Iterable


def bare_head(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a head that frames a body as these fields do and says nothing else.

    Empty where there is no body. The names are in lower case, and the parser has checked that
    the fields do not contradict each other.
    """
    for name, value in fields:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return b"POST / HTTP/1.1\r\n%b: %b\r\n\r\n" % (name, value)
    return b""
