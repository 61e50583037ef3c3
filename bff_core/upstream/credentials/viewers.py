"""Proof that a call is made in the viewer's name: the viewer's token, or one in exchange."""

from hashlib import sha256
from typing import Final

from bff_core.call import Call, Headers, find_header
from bff_core.clock import Clock
from bff_core.policy.credentials import TokenExchange
from bff_core.upstream.credentials.grants import Granted, Grants
from bff_core.upstream.vault import Vault

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name

REMEMBERED: Final = 10_000
"""Tokens that are known of one exchange; the oldest go."""


class RelaySource:
    """Sends the viewer's token on."""

    async def headers(self, call: Call, /) -> Headers:
        """Return the token; nothing for callers without one."""
        return () if call.token is None else bearer(await call.token.current())

    async def renewed(self, call: Call, refused: Headers, /) -> Headers | None:
        """Return the viewer's new token in place of one that was refused."""
        if call.token is None:
            return None
        fresh = await call.token.renewed(token_in(refused))
        return None if fresh is None else bearer(fresh)


class ExchangeSource:
    """Sends a token that the provider gives for the viewer's, for this audience alone."""

    def __init__(self, options: TokenExchange, vault: Vault, clock: Clock) -> None:
        self._options = options
        self._grants = Grants(vault, options, clock, most=REMEMBERED)

    async def headers(self, call: Call, /) -> Headers:
        """Return the exchanged token; nothing for callers without one of their own."""
        if call.token is None:
            return ()
        return bearer((await self._exchanged(call, await call.token.current())).token)

    async def renewed(self, call: Call, refused: Headers, /) -> Headers | None:
        """Exchange the viewer's token anew, once."""
        if call.token is None:
            return None
        token = await call.token.current()
        self._grants.forget(_name(token), token_in(refused))
        fresh = (await self._exchanged(call, token)).token
        return None if fresh == token_in(refused) else bearer(fresh)

    async def _exchanged(self, call: Call, token: str) -> Granted:
        options = self._options
        asked = {
            "grant_type": EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "audience": options.audience,
        }
        if options.scope:
            asked["scope"] = " ".join(options.scope)
        return await self._grants.get(_name(token), asked, call)


def bearer(token: str) -> Headers:
    """Return the header that a token is sent in (RFC 6750, section 2.1)."""
    return ((b"authorization", b"Bearer " + token.encode("latin-1")),)


def token_in(headers: Headers) -> str:
    """Return the token that was sent."""
    sent = find_header(headers, b"authorization") or b""
    return sent.removeprefix(b"Bearer ").decode("latin-1")


def _name(token: str) -> str:
    return sha256(token.encode()).hexdigest()
