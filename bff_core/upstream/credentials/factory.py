"""All that the calls of one gateway may show: its secrets, and the tokens that it has."""

import time
from collections.abc import Callable, Mapping, Sequence

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
from bff_core.upstream.credentials.provider import TokenEndpoint, token_service
from bff_core.upstream.credentials.relay import RelayedToken
from bff_core.upstream.credentials.static import api_key, basic
from bff_core.upstream.credentials.token_exchange import ExchangedToken
from bff_core.upstream.runtime import Credential, Runtime

Secret = Callable[[str], str]
"""Returns the value of a secret by its name; raises `ConfigurationError` where it is not set."""


class CredentialFactory:
    """Makes of options what calls show. Upstreams whose options are the same share their tokens.

    `services` are set when they run: a provider is one of them.
    """

    def __init__(self, secret: Secret, *, wall: Clock = time.time) -> None:
        self.services: Mapping[type[Upstream], Upstream] = {}
        self._secret = secret
        self._wall = wall
        self._shared: dict[Credentials, Credential] = {}

    def open(self, options: Credentials, runtime: Runtime, addresses: Sequence[str]) -> Credential:
        """Return what calls to these addresses show; raises `ConfigurationError`."""
        match options:
            case Signature():
                return HTTPSignature(options, self._secret, addresses, wall=self._wall)
            case ApiKey():
                return api_key(options, self._secret)
            case Basic():
                return basic(options, self._secret)
            case ClientCredentials() | TokenExchange():
                known = self._shared.get(options)
                if known is None:
                    known = self._shared[options] = self._of_provider(options, runtime)
                return known
        return RelayedToken()

    def _of_provider(
        self, options: ClientCredentials | TokenExchange, runtime: Runtime
    ) -> Credential:
        client = options.client_id, self._secret(options.secret)
        endpoint = TokenEndpoint(options.upstream, options.path, client, lambda: self.services)
        if isinstance(options, ClientCredentials):
            return ClientCredentialsToken(options, endpoint, runtime)
        return ExchangedToken(options, endpoint, runtime)


def providers(services: Sequence[type[Upstream]]) -> list[type[Upstream]]:
    """Return the service clients that the policies of others need, to be asked for tokens."""
    shown = [kind.policy.credentials for kind in services]
    names = dict.fromkeys(one.upstream for one in shown if one is not None and one.upstream)
    return [token_service(name) for name in names]


def secrets(services: Sequence[type[Upstream]]) -> list[str]:
    """Return the names of the secrets that policies need."""
    shown = [kind.policy.credentials for kind in services]
    return list(dict.fromkeys(one.secret for one in shown if one is not None and one.secret))
