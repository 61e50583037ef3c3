"""Configuration of one issuer of access tokens: keys, audience, algorithms."""

from dataclasses import dataclass, field
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords

ALGORITHMS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA",
    "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC",
    "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""Accepted algorithms with the type of their keys; none has a shared secret."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An authorization server whose access tokens (JWT, RFC 9068) a gateway accepts.

    `issuer` is its `iss`. A token's `aud` has to contain one `audience`. `upstream` names the
    service with its JWK set at the path `keys`. `BFF_UPSTREAM_<NAME>` is the address of that
    service; no token and no discovery document changes it. `algorithms` are the accepted ones,
    `types` the accepted `typ` headers in any case ("" accepts a token without one), `required` the
    claims that a token needs besides `iss`, `aud`, `exp` and `sub`. `leeway` is how far clocks may
    differ (seconds). `scope`, `tenant` and `client` name the claims that make a viewer; without a
    `tenant` viewers have none. If a gateway has several issuers, subjects include their issuer.

    Raises `ConfigurationError` for options that would accept too much.
    """

    issuer: str
    audience: tuple[str, ...]
    upstream: str = "identity"
    keys: str = "/.well-known/jwks.json"
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
    types: tuple[str, ...] = ("at+jwt",)
    required: tuple[str, ...] = ()
    leeway: float = 60.0
    scope: str = "scope"
    tenant: str = ""
    client: str = "client_id"
    _types: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = f"Issuer({self.issuer!r})"
        if not self.issuer.startswith(("https://", "http://")):
            raise ConfigurationError(
                f"{where}: give the URL that its tokens have as `iss`; "
                "settings.issuer is that of BFF_ISSUER"
            )
        if isinstance(self.audience, str) or not all(self.audience) or not self.audience:
            raise ConfigurationError(
                f"{where}: audience=(...) has to name this gateway as the issuer's tokens do, or "
                "those that are meant for others would be accepted here"
            )
        for name in self.algorithms:
            if name not in ALGORITHMS:
                raise ConfigurationError(
                    f"{where}: {name!r} is not accepted; choose of {', '.join(ALGORITHMS)}"
                )
        if not self.algorithms or not self.types:
            raise ConfigurationError(f"{where}: algorithms and types must not be empty")
        if not 0 <= self.leeway <= 300:
            raise ConfigurationError(f"{where}: leeway must be 0 to 300 seconds")
        object.__setattr__(self, "_types", frozenset(map(media_type, self.types)))

    def is_accepted(self, typ: str) -> bool:
        """Return whether tokens of this `typ` are access tokens of the issuer (RFC 8725, 3.11)."""
        return media_type(typ) in self._types


def media_type(typ: str) -> str:
    """Return a `typ` in comparable form: "at+jwt" is "application/at+jwt" (RFC 7515, 4.1.9)."""
    return typ.lower().removeprefix("application/")
