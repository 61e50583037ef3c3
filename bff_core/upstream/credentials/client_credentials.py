"""A token of the gateway's own, the same for all calls (RFC 6749, section 4.4)."""

from collections.abc import Awaitable

from bff_core.call import Call, Headers
from bff_core.errors import CredentialsUnavailable
from bff_core.policy.upstream.credentials import ClientCredentials
from bff_core.upstream.credentials.provider import NoToken, Token, TokenEndpoint
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in
from bff_core.upstream.credentials.token_cache import PAUSE, TokenCache
from bff_core.upstream.runtime import Runtime


class ClientCredentialsToken:
    """Shows the token of a client; one for all upstreams whose options are the same."""

    __slots__ = ("_endpoint", "_fields", "_kept", "_options", "_value", "names")

    def __init__(
        self, options: ClientCredentials, endpoint: TokenEndpoint, runtime: Runtime
    ) -> None:
        self.names = AUTHORIZATION
        self._options = options
        self._endpoint = endpoint
        self._kept = TokenCache(self._ask, runtime, (options.upstream, endpoint.operation))
        self._value = ""
        self._fields: Headers = ()

    def __repr__(self) -> str:
        return f"the token of {self._options.client_id}"

    def ready(self, _: Call) -> Headers | None:
        """Return the field with the token that is there."""
        value = self._kept.ready()
        return None if value is None else self._field(value)

    async def fetched(self, call: Call) -> Headers:
        """Return it when it is there."""
        try:
            return self._field(await self._kept.get())
        except NoToken as refused:
            raise unavailable(self._options.upstream, refused, call) from refused

    async def replaced(self, _: Call, refused: Headers) -> Headers | None:
        """Return another than the one that was refused."""
        other = await self._kept.replaced(token_in(refused))
        return None if other is None else self._field(other)

    def _field(self, value: str) -> Headers:
        if value != self._value:
            self._value, self._fields = value, bearer(value)
        return self._fields

    def _ask(self) -> Awaitable[Token]:
        options = self._options
        form = (
            ("grant_type", "client_credentials"),
            ("scope", " ".join(options.scope)),
            ("audience", options.audience),
        )
        return self._endpoint.ask(form)


def unavailable(provider: str, refused: NoToken, call: Call) -> CredentialsUnavailable:
    """Return what a call ends with that has no token to show."""
    message = f"no token of {provider}: {refused.reason}"
    return CredentialsUnavailable(message, call=call, retry_after=PAUSE)
