"""Proof that it is the gateway that calls: a token of its own."""

from bff_core.call import Call, Headers
from bff_core.clock import Clock
from bff_core.policy.credentials import ClientCredentials
from bff_core.upstream.credentials.grants import Grants
from bff_core.upstream.credentials.viewers import bearer, token_in
from bff_core.upstream.vault import Vault

OWN = "own"


class ClientSource:
    """Sends the gateway's own token; the same one with all calls until it is replaced."""

    def __init__(self, options: ClientCredentials, vault: Vault, clock: Clock) -> None:
        asked = {"grant_type": "client_credentials"}
        if options.scope:
            asked["scope"] = " ".join(options.scope)
        if options.audience:
            asked["audience"] = options.audience
        self._asked = asked
        self._grants = Grants(vault, options, clock)

    async def headers(self, call: Call, /) -> Headers:
        """Return the token."""
        return bearer((await self._grants.get(OWN, self._asked, call)).token)

    async def renewed(self, call: Call, refused: Headers, /) -> Headers | None:
        """Ask for another token in place of one that was refused."""
        self._grants.forget(OWN, token_in(refused))
        fresh = (await self._grants.get(OWN, self._asked, call)).token
        return None if fresh == token_in(refused) else bearer(fresh)
