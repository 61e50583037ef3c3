"""The gateway's own token, the same for all calls (RFC 6749, section 4.4)."""

from collections.abc import Awaitable
from functools import partial

from bff_core.call import Call, Headers
from bff_core.policy.upstream.credentials import ClientCredentials
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in
from bff_core.upstream.credentials.token_cache import TokenCache
from bff_core.upstream.credentials.token_source import TokenSource
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import CredentialState


class ClientCredentialsToken:
    """Adds the gateway's token; upstreams with the same options share it."""

    __slots__ = ("_client_id", "_headers", "_token", "_tokens", "names")

    def __init__(self, options: ClientCredentials, source: TokenSource, runtime: Runtime) -> None:
        self.names = AUTHORIZATION
        self._client_id = options.client_id
        form = (
            ("grant_type", "client_credentials"),
            ("scope", " ".join(options.scope)),
            ("audience", options.audience),
        )
        self._tokens = TokenCache(
            partial(source.fetch, form),
            runtime,
            provider=options.upstream,
            operation=source.operation,
        )
        self._token = ""
        self._headers: Headers = ()

    def __repr__(self) -> str:
        return f"the token of {self._client_id}"

    def state(self) -> CredentialState:
        """Return what operators see of the token."""
        return self._tokens.state(repr(self))

    def headers(self, call: Call) -> Headers | Awaitable[Headers]:
        """Return the header with the token, after a token request if there is no valid one."""
        token = self._tokens.ready()
        return self._requested(call) if token is None else self._header(token)

    async def replaced(self, _: Call, refused: Headers) -> Headers | None:
        """Return a header with another token than the refused one."""
        other = await self._tokens.replaced(token_in(refused))
        return None if other is None else self._header(other)

    async def _requested(self, call: Call) -> Headers:
        return self._header(await self._tokens.get(call))

    def _header(self, token: str) -> Headers:
        if token != self._token:
            self._token, self._headers = token, bearer(token)
        return self._headers
