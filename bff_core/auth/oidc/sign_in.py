"""What a gateway knows of the provider that its users sign in at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from bff_core.auth.issuer import ALGORITHMS, Issuer
from bff_core.errors import ConfigurationError

DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A provider (OpenID Connect), and this gateway as a confidential client of it.

    `issuer` is its `iss`, and where its discovery document is found; `upstream` names the service
    that answers there (`BFF_UPSTREAM_<NAME>`): all its endpoints but the one that browsers go to
    are called through it, and have to be of the issuer's origin. `client_secret` is sent by
    `auth`: "basic" or "post" (RFC 6749, section 2.3.1). `scope` is what is asked for; without
    "offline_access" many providers give no refresh token. `extra` are further parameters of the
    authorization request, such as `audience` or `resource`.

    `keeps_tokens` says that services are called in the viewer's name: tokens are kept, refreshed,
    and a session ends when its provider says so. False forgets them at once.

    `subject`, `tenant` and `roles` name the claims of ID tokens that a viewer is made of; `shows`
    are those that pages may see. `leeway` is how far clocks may differ (seconds).

    Raises `ConfigurationError` for what can't be meant.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    upstream: str = "identity"
    auth: Literal["basic", "post"] = "basic"
    scope: tuple[str, ...] = ("openid", "profile", "offline_access")
    extra: Mapping[str, str] = field(default_factory=dict)
    keeps_tokens: bool = True
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    subject: str = "sub"
    tenant: str = ""
    roles: str = "roles"
    shows: tuple[str, ...] = ("name", "given_name", "family_name", "email", "picture", "locale")
    leeway: float = 60.0

    def __post_init__(self) -> None:
        where = f"SignIn({self.issuer!r})"
        parts = urlsplit(self.issuer)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"{where}: give the URL of the provider, which its tokens have as `iss`"
            )
        if not self.client_id or not self.client_secret:
            raise ConfigurationError(
                f"{where}: a gateway is a confidential client; register it with the provider, and "
                "give the client_id and client_secret (BFF_CLIENT_ID, BFF_CLIENT_SECRET)"
            )
        if "openid" not in self.scope:
            raise ConfigurationError(f"{where}: scope has to have 'openid' in it")
        unknown = [name for name in self.algorithms if name not in ALGORITHMS]
        if unknown or not self.algorithms:
            raise ConfigurationError(f"{where}: algorithms are of {', '.join(ALGORITHMS)}")
        taken = RESERVED & self.extra.keys()
        if taken:
            raise ConfigurationError(f"{where}: extra can't set {min(taken)}: the flow does")
        if not 0 <= self.leeway <= 300:
            raise ConfigurationError(f"{where}: leeway must be 0 to 300 seconds")

    @property
    def origin(self) -> str:
        """Where the provider's endpoints have to be."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def discovery(self) -> str:
        """The path of the discovery document (OpenID Connect Discovery, section 4)."""
        return urlsplit(self.issuer).path.rstrip("/") + "/.well-known/openid-configuration"

    def tokens_for_us(self, keys: str, *types: str) -> Issuer:
        """Return how tokens are verified that are meant for us, by the keys at a path."""
        return Issuer(
            issuer=self.issuer,
            audience=(self.client_id,),
            upstream=self.upstream,
            keys=keys,
            algorithms=self.algorithms,
            types=types,
            leeway=self.leeway,
        )


RESERVED: Final = frozenset({
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
})  # fmt: skip
