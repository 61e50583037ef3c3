"""From what a policy says of credentials to what makes them."""

from bff_core.clock import Clock
from bff_core.policy.credentials import (
    ApiKey,
    ClientCredentials,
    Credentials,
    Relay,
    Signature,
    TokenExchange,
)
from bff_core.upstream.credentials.fixed import KeySource, SignatureSource
from bff_core.upstream.credentials.own import ClientSource
from bff_core.upstream.credentials.viewers import ExchangeSource, RelaySource
from bff_core.upstream.vault import Source, Vault


def source_of(options: Credentials, vault: Vault, clock: Clock) -> Source:
    """Return the source; raises `ConfigurationError` where a secret is missing."""
    match options:
        case Relay():
            return RelaySource()
        case ClientCredentials():
            return ClientSource(options, vault, clock)
        case TokenExchange():
            return ExchangeSource(options, vault, clock)
        case ApiKey():
            return KeySource(options, vault)
        case Signature():
            return SignatureSource(options, vault)


def provider_of(options: Credentials | None) -> str:
    """Return the name of the service that gives the tokens; empty where none does."""
    return options.upstream if isinstance(options, ClientCredentials | TokenExchange) else ""
