"""Reads the replies of token endpoints: grants, lifetimes, and what each error means."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

import msgspec

from bff_core.call import Reply
from bff_core.errors import GrantRefused, ProviderUnavailable
from bff_core.oauth.endpoint import OAuthClient, object_in, token_service
from bff_core.policy.upstream.credentials import ClientCredentials, TokenExchange
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.token_source import Form, IssuedToken, OpenTokenSource

DEFAULT_LIFETIME_SECONDS: Final = 300.0
"""Seconds for which a token is used if its provider sends no lifetime (RFC 6749, 5.1)."""

MIN_LIFETIME_SECONDS: Final = 1.0
MAX_LIFETIME_SECONDS: Final = 366 * 86_400.0
"""Bounds of the lifetime of an access token, in seconds."""

MAX_ISSUED_LIFETIME_SECONDS: Final = 86_400.0
"""Seconds after which the token of an upstream call is replaced, whatever the provider sends."""

GRANT_ERRORS: Final = frozenset({
    # RFC 6749, section 5.2 and 4.1.2.1
    "invalid_grant", "access_denied", "invalid_scope",
    # OpenID Connect Core, section 3.1.2.6; Unmet Authentication Requirements; RFC 9470
    "interaction_required", "login_required", "consent_required", "account_selection_required",
    "unmet_authentication_requirements", "insufficient_user_authentication",
    # RFC 6750, RFC 8628
    "invalid_token", "expired_token",
})  # fmt: skip
"""Errors that end a grant: its user has to sign in again."""

CLIENT_ERRORS: Final = frozenset({
    # RFC 6749, section 5.2; RFC 8707; RFC 9449
    "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type",
    "invalid_target", "invalid_dpop_proof", "use_dpop_nonce",
    # not registered, but sent by providers for a client that they do not know
    "unauthorized", "incorrect_client_credentials", "invalid_client_credentials",
})  # fmt: skip
"""Errors of the client: this gateway is registered or configured wrongly. No user can fix that."""

OUTAGE_ERRORS: Final = frozenset({
    "server_error", "temporarily_unavailable", "slow_down", "authorization_pending",
    "too_many_requests", "rate_limit_exceeded", "internal_error", "internal_server_error",
    "service_unavailable", "timeout",
})  # fmt: skip
"""Errors after which a client may try again later."""

TOO_MANY_REQUESTS: Final = 429

_is_code: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}").fullmatch
_is_decimal: Final = re.compile(r"[0-9]{1,300}(?:\.[0-9]{0,300})?").fullmatch
_is_token: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*").fullmatch


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens of a user; `expires_in` is in seconds. A missing token is empty, a scope None."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in: float
    scope: frozenset[str] | None


class _IssuedReply(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: object = None
    issued_token_type: str = ""


class ClientTokenSource:
    """Requests tokens for upstream calls: the `TokenSource` of a gateway."""

    __slots__ = ("_client", "_kind", "_path", "_services", "operation")

    def __init__(
        self,
        options: ClientCredentials | TokenExchange,
        client_secret: str,
        services: Callable[[], Mapping[type[Upstream], Upstream]],
    ) -> None:
        self.operation = f"POST {options.path}"
        self._client = OAuthClient(options.client_id, client_secret)
        self._kind = token_service(options.upstream)
        self._path = options.path
        self._services = services

    async def fetch(self, form: Form, /, *, issued: Sequence[str] = ()) -> IssuedToken:
        """Return a token; raises `OAuthError`."""
        service = self._services().get(self._kind)
        if service is None:
            raise ProviderUnavailable("closed")
        parameters = {name: value for name, value in form if value}
        return issued_token_in(await self._client.post(service, self._path, parameters), issued)


def token_sources(services: Callable[[], Mapping[type[Upstream], Upstream]]) -> OpenTokenSource:
    """Return what opens token sources over the services of a gateway, while it runs."""
    return lambda options, client_secret: ClientTokenSource(options, client_secret, services)


def token_services(services: Sequence[type[Upstream]]) -> list[type[Upstream]]:
    """Return the upstream classes of the providers that the policies of services need."""
    used = [kind.policy.credentials for kind in services]
    names = dict.fromkeys(one.upstream for one in used if one is not None and one.upstream)
    return [token_service(name) for name in names]


def fields_in(reply: Reply) -> Mapping[str, object]:
    """Return the members of a successful reply.

    Raises `GrantRefused` if the provider refuses the grant, `ProviderUnavailable` for any other
    error.
    """
    fields = object_in(reply)
    error = error_in(fields)
    if reply.status in {200, 201} and not error:
        return fields
    reason = reason_of(reply.status, error)
    if ends_grant(reply.status, error):
        raise GrantRefused(reason)
    raise ProviderUnavailable(reason)


def grant_in(reply: Reply) -> Grant:
    """Return the tokens of a user; raises `OAuthError`."""
    fields = fields_in(reply)
    access = _text(fields, "access_token")
    if not access:
        raise ProviderUnavailable("no_access_token")
    if str(fields.get("token_type", "")).lower() != "bearer":
        raise ProviderUnavailable("token_type")
    scope = fields.get("scope")
    return Grant(
        access,
        _text(fields, "refresh_token"),
        _text(fields, "id_token"),
        lifetime_in(fields),
        None if scope is None else scopes_of(scope),
    )


def issued_token_in(reply: Reply, issued: Sequence[str]) -> IssuedToken:
    """Return the token for an upstream call, of one of the `issued` types; raises `OAuthError`."""
    try:
        given = msgspec.convert(fields_in(reply), type=_IssuedReply)
    except msgspec.ValidationError:
        raise ProviderUnavailable("malformed") from None
    if given.token_type.lower() != "bearer":
        raise ProviderUnavailable("token_type")
    if _is_token(given.access_token) is None:
        raise ProviderUnavailable("malformed")
    if issued and given.issued_token_type not in issued:
        raise ProviderUnavailable("issued_token_type")
    lifetime = seconds_in(given.expires_in)
    if lifetime is None:
        lifetime = DEFAULT_LIFETIME_SECONDS
    if lifetime <= 0:
        raise ProviderUnavailable("expired")
    return IssuedToken(
        given.access_token, min(max(lifetime, MIN_LIFETIME_SECONDS), MAX_ISSUED_LIFETIME_SECONDS)
    )


def ends_grant(status: int, error: str) -> bool:
    """Return whether a reply means that a grant has ended, by its status and its OAuth error.

    A known error counts whatever the status is, since providers differ: 400, 401, 403, 200, 500.
    429 limits the rate of requests and says nothing about the grant. An unknown error ends the
    grant where OAuth has its errors (200, 400, 401, 403), and means an outage elsewhere: a proxy
    may have sent that 404.
    """
    if not error or error in CLIENT_ERRORS or error in OUTAGE_ERRORS or status == TOO_MANY_REQUESTS:
        return False
    return error in GRANT_ERRORS or status in {200, 400, 401, 403}


def reason_of(status: int, error: str) -> str:
    """Return why there is no token, for logs: a known error, else the status.

    An unknown error may contain anything, also a secret that was sent.
    """
    is_known = error in GRANT_ERRORS or error in CLIENT_ERRORS or error in OUTAGE_ERRORS
    return error if is_known else f"status_{status}"


def error_in(fields: Mapping[str, object]) -> str:
    """Return the OAuth error of a reply; empty if it has none, or a sentence in its place."""
    error = fields.get("error")
    code = error.strip().lower() if isinstance(error, str) else ""
    return code if _is_code(code) else ""


def seconds_in(value: object) -> float | None:
    """Return a number of seconds that a provider wrote as a number or as its digits.

    None for anything else: null, true, NaN, an infinite number, words.
    """
    if isinstance(value, str):
        digits = value.strip()
        return float(digits) if _is_decimal(digits) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return seconds if isfinite(seconds) else None


def lifetime_in(fields: Mapping[str, object]) -> float:
    """Return for how many seconds an access token is used.

    That is five minutes if there is no positive number: the provider may have spent the refresh
    token, so the grant must not be dropped for that.
    """
    seconds = seconds_in(fields.get("expires_in"))
    if seconds is None or seconds <= 0:
        return DEFAULT_LIFETIME_SECONDS
    return min(max(seconds, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS)


def scopes_of(claim: object) -> frozenset[str]:
    """Return scopes: words with spaces between them (RFC 6749, section 3.3), or a list of words.

    Anything else grants nothing. Only a space separates scopes: with other white space in it, a
    scope is one that no rule requires.
    """
    names = claim.split(" ") if isinstance(claim, str) else claim
    if not isinstance(names, list):
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str) and name)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
