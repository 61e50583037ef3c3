"""Configuration of sign-in at an OpenID provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from bff_core.auth.issuer_config import ALGORITHMS, Issuer
from bff_core.auth.oidc.step_up import Strength
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.oauth.endpoint import document_service, grant_service, origin_in, service_name
from bff_core.upstream.client import Upstream

DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIDProvider:
    """A provider (OpenID Connect), and this gateway as a confidential client of it.

    `issuer` is its `iss`, and where its discovery document is found. `upstream` names the service
    there (`BFF_UPSTREAM_<NAME>`): the gateway calls all endpoints through it, except those that
    browsers visit. `origins` are further origins of endpoints, as Google and Cognito have them (or
    `BFF_ISSUER_ORIGINS`); they receive the client secret. `auth` is how that is sent: "basic" or
    "post" (RFC 6749, section 2.3.1). `scope` are the requested scopes; without "offline_access"
    many providers issue no refresh token. `extra` are further parameters of the authorization
    request, such as `audience` or `resource`.

    With `stores_tokens` services can be called in the viewer's name: the session holds the tokens,
    they are refreshed, and the session ends when the provider ends it. Without, tokens are dropped
    at once.

    `subject`, `tenant` and `roles` name the claims of ID tokens that make a viewer; `public_claims`
    are those that pages get. `leeway` is how far clocks may differ (seconds).

    Raises `ConfigurationError` for options that contradict the flow.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    upstream: str = "identity"
    origins: tuple[str, ...] = ()
    auth: Literal["basic", "post"] = "basic"
    scope: tuple[str, ...] = ("openid", "profile", "offline_access")
    extra: Mapping[str, str] = field(default_factory=dict)
    stores_tokens: bool = True
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    subject: str = "sub"
    tenant: str = ""
    roles: str = "roles"
    public_claims: tuple[str, ...] = (
        "name",
        "given_name",
        "family_name",
        "email",
        "picture",
        "locale",
    )
    leeway: float = 60.0

    def __post_init__(self) -> None:
        where = f"OpenIDProvider({self.issuer!r})"
        parts = urlsplit(self.issuer)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"{where}: give the URL of the provider, which its tokens have as `iss` "
                "(BFF_ISSUER)"
            )
        if not self.client_id or not self.client_secret:
            raise ConfigurationError(
                f"{where}: a gateway is a confidential client; register it with the provider, and "
                "give the client_id and client_secret (BFF_CLIENT_ID, BFF_CLIENT_SECRET)"
            )
        self._check_origins(where)
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
        try:
            Strength.of(self.extra)
        except ValueError as error:
            raise ConfigurationError(f"{where}: extra: {error}") from error

    def _check_origins(self, where: str) -> None:
        for one in self.origins:
            is_safe = one.startswith("https://") or self.issuer.startswith("http://")
            if isinstance(self.origins, str) or origin_in(one) != one or not is_safe:
                raise ConfigurationError(
                    f"{where}: {one!r} in origins (BFF_ISSUER_ORIGINS) is no origin of this "
                    "provider: write it like https://oauth2.googleapis.com, without a path"
                )

    @property
    def viewer_issuer(self) -> str:
        """The issuer of viewers, with the subject's claim: values of two claims may collide."""
        return self.issuer if self.subject == "sub" else f"{self.issuer}#{self.subject}"

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The services through which the provider is called."""
        names = [self.upstream, *(service_name(self.upstream, one) for one in self.origins)]
        return [*map(document_service, names), *map(grant_service, names)]

    def with_origins(self, origins: Sequence[str]) -> Self:
        """Return the same provider with further origins of its endpoints."""
        return replace(self, origins=tuple(dict.fromkeys((*self.origins, *origins))))

    def tokens_for_us(self, upstream: str, keys: str, *types: str) -> Issuer:
        """Return how tokens for this client are verified, by the keys at an upstream."""
        return Issuer(
            issuer=self.issuer,
            audience=(self.client_id,),
            upstream=upstream,
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
