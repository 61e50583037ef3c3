"""How a browser signs in: the authorization code flow, from redirect to ID token."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bff_core.auth import base64url
from bff_core.auth.jwt import Claims
from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.oidc.return_url import local_path
from bff_core.auth.oidc.step_up import Strength
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.pending_sign_ins import (
    PendingCookies,
    PendingSignIn,
    PreviousSession,
    StatePayload,
)
from bff_core.auth.session.sealing import Sealing
from bff_core.call import Headers
from bff_core.clock import Clock
from bff_core.errors import ClientError, GrantRefused
from bff_core.oauth.tokens import Grant

MAX_PARAMETERS: Final = 20

_is_code: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch


class SignInFailed(ClientError):
    """A sign-in failed and has to start again.

    `reason` becomes the `login_error` parameter of the page to which the browser is redirected.
    """

    code = "sign_in_failed"
    title = "Signing in failed"

    def __init__(self, message: str, login: str, reason: str = "sign_in_failed") -> None:
        super().__init__(message)
        self.reason = reason
        self._login = login

    @property
    def members(self) -> Mapping[str, object]:
        """The path at which a sign-in starts again."""
        return {"login": self._login}


@dataclass(frozen=True, slots=True)
class ProviderRedirect:
    """The redirect of a browser to the provider, and the cookies to set."""

    location: str
    cookies: Headers


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A browser's return from the provider: its query parameters and the sign-in that they name.

    `pending` is None if this browser has no such sign-in pending. `cookies` remove its cookie.
    """

    state: str
    parameters: Mapping[str, str]
    payload: StatePayload | None
    pending: PendingSignIn | None
    cookies: Headers


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The provider's answer: a grant and the claims of the ID token, or an `error`."""

    grant: Grant | None = None
    claims: Claims | None = None
    error: str = ""


class SignInFlow:
    """The authorization code flow with PKCE, state and nonce (RFC 6749, RFC 7636, RFC 9700).

    A sealed cookie, which only this gateway can make, binds state and nonce to the browser, so
    that no link signs a user in to another account (login CSRF). `callback` is the redirect URI of
    this gateway, `cookie` the beginning of the names of those cookies.
    """

    def __init__(
        self,
        client: OIDCClient,
        sealing: Sealing,
        *,
        callback: str,
        login: str,
        cookie: str,
        wall: Clock = time.time,
    ) -> None:
        self._client = client
        self._cookies = PendingCookies(sealing, cookie)
        self._callback = callback
        self._login = login
        self._wall = wall

    async def start(
        self,
        headers: Headers,
        return_url: str,
        options: Mapping[str, str],
        previous: PreviousSession | None = None,
    ) -> ProviderRedirect:
        """Start a sign-in and return the redirect to the provider.

        `previous` is the session that the browser has now. Raises `SignInFailed` for a return URL
        of another site, and for invalid `options`.
        """
        target = local_path(return_url)
        if target is None:
            message = "returnUrl has to be a path of this site, such as /."
            raise SignInFailed(message, self._login, "invalid_return_url")
        sign_in = self._client.sign_in
        requested = {**sign_in.extra, **options}
        try:
            strength = Strength.of(requested)
        except ValueError as error:
            raise SignInFailed(f"{error}.", self._login, "invalid_request") from error
        metadata, wall = await self._client.metadata(), self._wall()
        state = self._cookies.state_for(StatePayload(target, strength.acr_values, strength.max_age))
        pending, cookies = self._cookies.begin(state, wall, previous)
        parameters = {
            **requested,
            "response_type": "code",
            "client_id": sign_in.client_id,
            "redirect_uri": self._callback,
            "scope": " ".join(sign_in.scope),
            "state": state,
            "nonce": pending.nonce,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        }
        if metadata.pushed:
            uri = await self._client.push(parameters)
            parameters = {"client_id": sign_in.client_id, "request_uri": uri}
        location = _with_query(metadata.authorization, parameters)
        return ProviderRedirect(
            location, (*self._cookies.removals(headers, wall, room=1), *cookies)
        )

    def read_callback(self, headers: Headers, query: bytes) -> CallbackRequest:
        """Read the query and the cookies of a browser's return from the provider."""
        parameters, wall = _unique_parameters(query), self._wall()
        state = parameters.get("state", "")
        payload = self._cookies.payload_of(state)
        pending = None if payload is None else self._cookies.find(headers, state, wall)
        ending = self._cookies.removal_of(state) if payload is not None else ()
        return CallbackRequest(
            state, parameters, payload, pending, (*self._cookies.removals(headers, wall), *ending)
        )

    async def finish(self, callback: CallbackRequest) -> SignInResult:
        """Finish a sign-in: redeem the code and verify the ID token.

        Raises `SignInFailed` for an answer of the provider that is not valid.
        """
        parameters, payload, pending = callback.parameters, callback.payload, callback.pending
        if payload is None or pending is None:
            message = "This sign-in is unknown, or took too long."
            raise SignInFailed(message, self._login, "sign_in_expired")
        metadata, issuer = await self._client.metadata(), self._client.sign_in.issuer
        claimed = parameters.get("iss", "" if metadata.sends_issuer else issuer)
        if claimed != issuer:  # a mix-up of providers (RFC 9207)
            raise SignInFailed("The answer comes from another provider.", self._login)
        error = parameters.get("error", "")
        if error or not parameters.get("code"):
            return SignInResult(error=error if _is_code(error) else "no_code")
        try:
            grant = await self._client.redeem(
                parameters["code"], verifier=pending.verifier, redirect_uri=self._callback
            )
            claims = await self._client.identified(grant, pending.nonce)
        except (GrantRefused, CredentialsRefused) as refused:
            raise SignInFailed("The provider's answer is not valid.", self._login) from refused
        self._check_strength(claims, payload, pending)
        return SignInResult(grant, claims)

    def _check_strength(
        self, claims: Claims, payload: StatePayload, pending: PendingSignIn
    ) -> None:
        leeway = self._client.sign_in.leeway
        try:
            Strength(payload.acr_values, payload.max_age).check(
                claims, began=pending.began, wall=self._wall(), leeway=leeway
            )
        except CredentialsRefused as refused:
            message = "The sign-in is weaker or older than this request requires."
            raise SignInFailed(
                message, self._login, "unmet_authentication_requirements"
            ) from refused


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a verifier (RFC 7636, section 4.2)."""
    return base64url.encode(sha256(verifier.encode()).digest())


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def _unique_parameters(query: bytes) -> dict[str, str]:
    """Return the parameters of a query that occur once; those that occur twice are dropped."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}
