"""The bearer token of a request: how it is read, and how it is relayed to services."""

import re
from typing import Final

from bff_core.scope import Scope

parse_bearer: Final = re.compile(rb"bearer +(\S+)", re.IGNORECASE).fullmatch


class BearerToken:
    """The access token that a caller sent; the gateway can't refresh it."""

    __slots__ = ("_token",)

    def __init__(self, token: bytes) -> None:
        self._token = token

    async def current(self) -> str:
        """Return the token."""
        return self._token.decode("latin-1")

    async def renewed(self, _refused: str, /) -> None:
        """Return None: only the caller can get another token."""


def bearer_in(scope: Scope) -> bytes | None:
    """Return the token of `Authorization: Bearer`; None without one, or for another scheme."""
    sent = scope.field(b"authorization")
    found = None if sent is None else parse_bearer(sent)
    return None if found is None else found[1]
