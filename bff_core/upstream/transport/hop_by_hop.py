"""Hop-by-hop header fields, which are not forwarded (RFC 9110, section 7.6.1)."""

from collections.abc import Iterable

from bff_core.call import Headers

HOP_BY_HOP = frozenset({
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authentication-info",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
})  # fmt: skip

_CODED = frozenset({b"content-encoding", b"content-length"})

NO_CODINGS = frozenset({
    *(b"identity", b"none", b"null", b"binary", b"7bit", b"8bit", b"aws-chunked"),
    *(b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin1", b"windows-1252"),
})  # fmt: skip
"""Values of Content-Encoding that services send for a body without a coding.

Object stores return the value that came with the upload. Some frameworks confuse the field with the
charset, or with MIME's Content-Transfer-Encoding. Only identity is registered.
"""


def tokens(value: bytes) -> list[bytes]:
    """Return the members of a comma-separated list, in lower case."""
    return [token for part in value.lower().split(b",") if (token := part.strip(b" \t"))]


def content_coding(values: Iterable[bytes]) -> bytes | None:
    """Return the codings of Content-Encoding fields, joined by commas; None without any."""
    codings = [coding for value in values for coding in tokens(value) if coding not in NO_CODINGS]
    return b", ".join(codings) or None


def end_to_end(fields: Iterable[tuple[bytes, bytes]], *, named: Iterable[bytes] = ()) -> Headers:
    """Return the fields without hop-by-hop ones and those that Connection fields name."""
    dropped = HOP_BY_HOP.union(named)
    return tuple(field for field in fields if field[0] not in dropped)


def without_coding(headers: Headers) -> Headers:
    """Return the fields of a body that was decoded: without Content-Encoding and Content-Length."""
    return tuple(field for field in headers if field[0] not in _CODED)
