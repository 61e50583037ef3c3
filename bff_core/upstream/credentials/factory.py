"""Which credentials do the calls of an upstream carry? Makes them from the options of policies."""

import time
from collections.abc import Callable, Sequence

from bff_core.clock import Clock
from bff_core.policy.upstream.credentials import (
    ApiKey,
    Basic,
    ClientCredentials,
    Credentials,
    Signature,
    TokenExchange,
)
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.client_credentials import ClientCredentialsToken
from bff_core.upstream.credentials.http_signature import HTTPSignature
from bff_core.upstream.credentials.relay import RelayedToken
from bff_core.upstream.credentials.static import api_key, basic
from bff_core.upstream.credentials.token_exchange import ExchangedToken
from bff_core.upstream.credentials.token_source import OpenTokenSource
from bff_core.upstream.runtime import Credential, Runtime

Secret = Callable[[str], str]
"""Returns the value of a secret by its name; raises `ConfigurationError` if it is not set."""


class CredentialFactory:
    """Makes credentials from a policy's options. Upstreams with the same options share tokens."""

    def __init__(
        self, secret: Secret, token_source: OpenTokenSource, *, wall: Clock = time.time
    ) -> None:
        self._secret = secret
        self._token_source = token_source
        self._wall = wall
        self._shared: dict[Credentials, Credential] = {}

    def open(self, options: Credentials, runtime: Runtime, addresses: Sequence[str]) -> Credential:
        """Return the credentials of calls to these addresses; raises `ConfigurationError`."""
        match options:
            case Signature():
                return HTTPSignature(options, self._secret, addresses, wall=self._wall)
            case ApiKey():
                return api_key(options, self._secret)
            case Basic():
                return basic(options, self._secret)
            case ClientCredentials() | TokenExchange():
                credential = self._shared.get(options)
                if credential is None:
                    credential = self._shared[options] = self._with_tokens(options, runtime)
                return credential
        return RelayedToken()

    def _with_tokens(
        self, options: ClientCredentials | TokenExchange, runtime: Runtime
    ) -> Credential:
        source = self._token_source(options, self._secret(options.secret))
        if isinstance(options, ClientCredentials):
            return ClientCredentialsToken(options, source, runtime)
        return ExchangedToken(options, source, runtime)


def secrets(services: Sequence[type[Upstream]]) -> list[str]:
    """Return the names of the secrets that policies need."""
    used = [kind.policy.credentials for kind in services]
    return list(dict.fromkeys(one.secret for one in used if one is not None and one.secret))
