"""Where the tokens come from that calls carry: the interface that the gateway implements."""

from collections.abc import Callable, Sequence
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


OpenTokenSource = Callable[[ClientCredentials | TokenExchange, str], TokenSource]
"""Returns the token source for a policy's credentials and the client's secret."""
