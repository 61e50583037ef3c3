"""What is accepted of one issuer of tokens: its keys, its audience, its algorithms."""

from dataclasses import dataclass, field
from typing import Final

from bff_core.errors import ConfigurationError

ALGORITHMS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA",
    "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC",
    "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""Algorithms with the type of their keys; none of them has a secret that the gateway shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An authorization server whose access tokens (JWT, RFC 9068) a gateway believes.

    `issuer` is its `iss`, `audience` what its tokens have to be meant for: any one of these.
    `upstream` names the service that has its keys at `keys`: `BFF_UPSTREAM_<NAME>` says where it
    is, no token and no discovery does. `algorithms` are those that are accepted, `types` the `typ`
    of the header in any case ("" accepts a token without one), `required` the claims that have to
    be there beside `iss`, `aud`, `exp` and `sub`. `leeway` is how far clocks may differ (seconds).
    `scope`, `tenant` and `client` name the claims that a viewer is made of; without a `tenant`
    viewers have none. Subjects are told apart by issuer where a gateway has several.

    Raises `ConfigurationError` for what would accept too much.
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
        """Whether a token of this `typ` is an access token of the issuer (RFC 8725, 3.11)."""
        return media_type(typ) in self._types


def media_type(typ: str) -> str:
    """Return a `typ` as they are compared: "at+jwt" is "application/at+jwt" (RFC 7515, 4.1.9)."""
    return typ.lower().removeprefix("application/")
