"""Headers whose values appear in no repr, and so in no log and no traceback."""

from bff_core.call import Headers


class RedactedValue(bytes):
    """Bytes of a secret, sent like any others; their repr is `b'***'`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


AUTHORIZATION = frozenset({b"authorization"})


def bearer(token: str) -> Headers:
    """Return the header with an access token (RFC 6750, section 2.1)."""
    return ((b"authorization", RedactedValue(b"Bearer " + token.encode())),)


def token_in(headers: Headers) -> str:
    """Return the token of such a header."""
    return headers[0][1].decode().removeprefix("Bearer ")
