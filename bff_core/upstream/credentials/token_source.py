"""Where the tokens come from that calls carry: the interface that the gateway implements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bff_core.policy.upstream.credentials import ClientCredentials, TokenExchange

Form = Sequence[tuple[str, str]]
"""The parameters of a token request; empty values are left out."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token, and for how many seconds it is valid."""

    value: str = field(repr=False)
    lifetime: float


class TokenSource(Protocol):
    """Requests tokens from one provider, as one client. `operation` is as in "POST /token"."""

    operation: str

    async def fetch(self, form: Form, /, *, issued: Sequence[str] = ()) -> IssuedToken:
        """Return a token; raises `OAuthError`.

        `issued` are the types that it may have, where the provider has to name its type (RFC 8693,
        section 2.2.1).
        """
        ...


class OpenTokenSource(Protocol):
    """Returns the token source of a policy's credentials."""

    def __call__(
        self, options: ClientCredentials | TokenExchange, client_secret: str, /
    ) -> TokenSource:
        """Return the source for a client with this secret."""
        ...
