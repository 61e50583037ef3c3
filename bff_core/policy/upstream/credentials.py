"""Options for the credentials of upstream calls; they name secrets and never hold them."""

import re
from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, Final

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

_is_name: Final = re.compile(r"[a-z][a-z0-9_]*(?<!_file)").fullmatch
_is_field: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_path: Final = re.compile(r"/[!\"$-;=@-z|~]*").fullmatch
_is_text: Final = re.compile(r"[ -~]+").fullmatch
_is_scope: Final = re.compile(r"[!#-\[\]-~]+").fullmatch

SECRET: Final = Option("The name of a secret: its value is in BFF_SECRET_<NAME>, or in a file")
CLIENT: Final = Option("The client id of the gateway at the provider")
SCOPE: Final = Option("The scopes to request; none leaves them to the provider")
PROVIDER: Final = Option("The upstream that issues tokens, called at BFF_UPSTREAM_<NAME>")
PATH: Final = Option("The path of its token endpoint")


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Sends the viewer's own access token; anonymous calls carry none (RFC 6750)."""

    is_per_viewer: ClassVar[bool] = True
    secret: ClassVar[str] = ""
    upstream: ClassVar[str] = ""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """Sends an access token of the gateway's own (RFC 6749, section 4.4: client credentials)."""

    is_per_viewer: ClassVar[bool] = False

    client_id: Annotated[str, CLIENT]
    secret: Annotated[str, SECRET]
    scope: Annotated[tuple[str, ...], SCOPE] = ()
    audience: Annotated[
        str, Option("The service that the token is for, where the provider requires it")
    ] = ""
    upstream: Annotated[str, PROVIDER] = "identity"
    path: Annotated[str, PATH] = "/token"

    def __post_init__(self) -> None:
        _check(self)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchange:
    """Sends a token that the provider issues in exchange for the viewer's (RFC 8693).

    It still represents the viewer, but only this service accepts it. Anonymous calls carry none.
    """

    is_per_viewer: ClassVar[bool] = True

    audience: Annotated[
        str, Option("The audience of the token: the service's name at the provider")
    ]
    client_id: Annotated[str, CLIENT]
    secret: Annotated[str, SECRET]
    scope: Annotated[tuple[str, ...], SCOPE] = ()
    upstream: Annotated[str, PROVIDER] = "identity"
    path: Annotated[str, PATH] = "/token"

    def __post_init__(self) -> None:
        _check(self)
        if not self.audience:
            raise ConfigurationError(
                "TokenExchange.audience must name the service that the token is for, or any "
                "service could use it at all others"
            )


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Sends an API key, the same for all calls, in a header of its own."""

    is_per_viewer: ClassVar[bool] = False
    upstream: ClassVar[str] = ""

    secret: Annotated[str, SECRET]
    header: Annotated[str, Option("The header field that carries it, in any case")] = "x-api-key"

    def __post_init__(self) -> None:
        _check(self)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """Sends a user name and a password (RFC 7617)."""

    is_per_viewer: ClassVar[bool] = False
    upstream: ClassVar[str] = ""

    username: Annotated[str, Option("The user name of the gateway at the service")]
    secret: Annotated[str, SECRET]

    def __post_init__(self) -> None:
        _check(self)


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Signs each call with a key that is shared with the service (RFC 9421, hmac-sha256).

    Covered are method, path, query, the authority, and the body by its digest (RFC 9530).
    """

    is_per_viewer: ClassVar[bool] = False
    upstream: ClassVar[str] = ""

    secret: Annotated[str, SECRET]
    key_id: Annotated[str, Option("The id of the key at the service")]
    label: Annotated[str, Option("The label of the signature in its header fields")] = "sig"
    authority: Annotated[
        bool, Option("Whether the host is covered; turn it off for several addresses")
    ] = True

    def __post_init__(self) -> None:
        _check(self)


Credentials = Relay | ClientCredentials | TokenExchange | ApiKey | Basic | Signature
"""The values of `Policy.credentials`."""

_RULES: Final = {
    "secret": (_is_name, "be a name in lower case such as billing_key, never the secret itself"),
    "upstream": (_is_name, "be the name of an upstream, such as identity"),
    "path": (_is_path, "be a path such as /oauth2/token"),
    "header": (_is_field, "be the name of a header field"),
    "client_id": (_is_text, "be printable ASCII"),
    "key_id": (_is_text, "be printable ASCII"),
    "username": (re.compile(r"[ -9;-~]+").fullmatch, "be printable ASCII without a colon"),
    "label": (re.compile(r"[a-z*][a-z0-9_.*-]*").fullmatch, "be a key such as sig (RFC 9651)"),
}
_ANY: Final = (re.compile(r"[ -~]*").fullmatch, "be printable ASCII")


def _check(options: "Credentials") -> None:
    """Raise `ConfigurationError` for a wrong option, without the value of `secret`."""
    owner = type(options).__name__
    check(options)
    for field in fields(options):
        is_right, rule = _RULES.get(field.name, _ANY)
        value = getattr(options, field.name)
        if isinstance(value, str) and is_right(value) is None:
            shown = "" if field.name == "secret" else f", not {value!r}"
            raise ConfigurationError(f"{owner}.{field.name} must {rule}{shown}")
    for scope in getattr(options, "scope", ()):
        if not isinstance(scope, str) or _is_scope(scope) is None:
            raise ConfigurationError(
                f"{owner}.scope must be a tuple of single scopes, such as ('orders:read',), "
                f"not {scope!r}"
            )
