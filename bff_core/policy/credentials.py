"""What calls to a service prove themselves with; secrets are named here, and stand elsewhere."""

from dataclasses import dataclass
from typing import Final

from bff_core.errors import ConfigurationError


def _named(owner: object, **names: str) -> None:
    for name, value in names.items():
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"{type(owner).__name__}.{name} has to be a text")


@dataclass(frozen=True, slots=True)
class Relay:
    """The access token of the viewer, as it is; nothing for callers without one.

    For services that the viewer's token is meant for (its `aud`).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """The gateway's own access token (RFC 6749, section 4.4).

    `secret` is the name of the client's: `BFF_SECRET_<NAME>` holds it. `upstream` is the service
    that gives tokens, at `path`. `scope` and `audience` are what is asked for.
    """

    client_id: str
    secret: str
    scope: tuple[str, ...] = ()
    audience: str = ""
    upstream: str = "identity"
    path: str = "/token"

    def __post_init__(self) -> None:
        _named(self, client_id=self.client_id, secret=self.secret, path=self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchange:
    """A token for one `audience`, in exchange for the viewer's (RFC 8693); nothing without one.

    The service can't use it elsewhere, and the provider can grant it less.
    """

    audience: str
    client_id: str
    secret: str
    scope: tuple[str, ...] = ()
    upstream: str = "identity"
    path: str = "/token"

    def __post_init__(self) -> None:
        _named(self, audience=self.audience, client_id=self.client_id, secret=self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A secret in a header: `prefix` and `BFF_SECRET_<NAME>`."""

    secret: str
    header: str = "x-api-key"
    prefix: str = ""

    def __post_init__(self) -> None:
        _named(self, secret=self.secret, header=self.header)
        if not self.header.isascii() or not self.header.replace("-", "").isalnum():
            raise ConfigurationError(f"ApiKey.header {self.header!r} is no name of a header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature of method, path, query and body by a shared secret (RFC 9421, hmac-sha256).

    `key_id` tells the service which secret it was; it should refuse what was signed long ago.
    """

    secret: str
    key_id: str

    def __post_init__(self) -> None:
        _named(self, secret=self.secret, key_id=self.key_id)
        if not self.key_id.isascii() or not self.key_id.isprintable() or '"' in self.key_id:
            raise ConfigurationError("Signature.key_id has to be printable ASCII, without quotes")


Credentials = Relay | ClientCredentials | TokenExchange | ApiKey | Signature

VIEWERS: Final = (Relay, TokenExchange)
"""Those that speak for the viewer: what a service answers them is that viewer's."""
