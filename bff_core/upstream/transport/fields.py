"""Which header fields belong to one connection and go no further (RFC 9110, section 7.6.1)."""

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


def tokens(value: bytes) -> list[bytes]:
    """Return the members of a comma-separated list, in lower case."""
    return [token for part in value.lower().split(b",") if (token := part.strip(b" \t"))]


def content_coding(values: Iterable[bytes]) -> bytes | None:
    """Return what Content-Encoding fields say: None is identity, several are joined by commas."""
    codings = [coding for value in values for coding in tokens(value) if coding != b"identity"]
    return b", ".join(codings) or None


def end_to_end(fields: Iterable[tuple[bytes, bytes]], *, named: Iterable[bytes] = ()) -> Headers:
    """Drop the fields of the connection, and those that its Connection fields name."""
    dropped = HOP_BY_HOP.union(named)
    return tuple(field for field in fields if field[0] not in dropped)


def decoded(headers: Headers) -> Headers:
    """Drop the fields that are no longer true of a body whose coding was undone."""
    return tuple(field for field in headers if field[0] not in _CODED)
