"""An access token that a caller sent: it can be passed on, and nobody here can renew it."""

import re
from typing import Final

from bff_core.call import Headers, find_header

parse_bearer: Final = re.compile(rb"bearer +(\S+)", re.IGNORECASE).fullmatch


class PlainToken:
    """The token of one request."""

    __slots__ = ("_token",)

    def __init__(self, token: bytes) -> None:
        self._token = token

    async def current(self) -> str:
        """Return it."""
        return self._token.decode("latin-1")

    async def renewed(self, _refused: str, /) -> None:
        """Return nothing: the caller has to fetch another."""


def bearer_in(headers: Headers) -> bytes | None:
    """Return the token of `Authorization: Bearer`; None for any other proof, or none."""
    sent = find_header(headers, b"authorization")
    found = None if sent is None else parse_bearer(sent)
    return None if found is None else found[1]
