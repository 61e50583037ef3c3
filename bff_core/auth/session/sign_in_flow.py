"""One sign-in: what a browser is sent away with, and what it has to bring back."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bff_core.auth.jwt import Claims
from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.oidc.return_url import local
from bff_core.auth.oidc.step_up import Strength
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.pending_sign_ins import Former, Pending, PendingCookies, Trip
from bff_core.auth.session.sealing import Sealing
from bff_core.call import Headers
from bff_core.clock import Clock
from bff_core.errors import ClientError, GrantRefused
from bff_core.oauth.tokens import Grant

MOST_PARAMETERS: Final = 20

_is_code: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch


class SignInFailed(ClientError):
    """A sign-in can't be gone on with: it has to be begun anew.

    `reason` is the `login_error` of a page that the browser is sent to.
    """

    code = "sign_in_failed"
    title = "Signing in failed"

    def __init__(self, message: str, login: str, reason: str = "sign_in_failed") -> None:
        super().__init__(message)
        self.reason = reason
        self._login = login

    @property
    def members(self) -> Mapping[str, object]:
        """Where to begin anew."""
        return {"login": self._login}


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent, with the cookies that it will need."""

    location: str
    cookies: Headers


@dataclass(frozen=True, slots=True)
class Comeback:
    """A browser that is back: its `parameters`, and what is known of the sign-in they name.

    `pending` is None where this browser has no such sign-in under way. `cookies` end it.
    """

    state: str
    parameters: Mapping[str, str]
    trip: Trip | None
    pending: Pending | None
    cookies: Headers


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the provider answered: a grant and the claims of who signed in, or an `error`."""

    grant: Grant | None = None
    claims: Claims | None = None
    error: str = ""


class Flow:
    """The authorization code flow with PKCE, state and nonce (RFC 6749, RFC 7636, RFC 9700).

    State and nonce are bound to the browser by a sealed cookie that nobody else can make, so that
    no link signs a user in as somebody else. `callback` is our own address there,
    `cookie` the name that those cookies begin with.
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

    async def depart(
        self,
        headers: Headers,
        return_url: str,
        wishes: Mapping[str, str],
        former: Former | None = None,
    ) -> Departure:
        """Begin a sign-in; raises `SignInFailed` for a return to elsewhere, or a wrong wish.

        `former` is the session that the browser has now.
        """
        there = local(return_url)
        if there is None:
            message = "returnUrl has to be a path of this site, such as /."
            raise SignInFailed(message, self._login, "invalid_return_url")
        sign_in = self._client.sign_in
        asked = {**sign_in.extra, **wishes}
        try:
            strength = Strength.of(asked)
        except ValueError as error:
            raise SignInFailed(f"{error}.", self._login, "invalid_request") from error
        metadata, wall = await self._client.metadata(), self._wall()
        state = self._cookies.state_for(Trip(there, strength.acr_values, strength.max_age))
        pending, cookies = self._cookies.begin(state, wall, former)
        parameters = {
            **asked,
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
        location = _with(metadata.authorization, parameters)
        return Departure(location, (*self._cookies.surplus(headers, wall, room=1), *cookies))

    def back(self, headers: Headers, query: bytes) -> Comeback:
        """Return what a browser came back with."""
        told, wall = _once(query), self._wall()
        state = told.get("state", "")
        trip = self._cookies.trip_of(state)
        pending = None if trip is None else self._cookies.find(headers, state, wall)
        ending = self._cookies.removal_of(state) if trip is not None else ()
        return Comeback(
            state, told, trip, pending, (*self._cookies.surplus(headers, wall), *ending)
        )

    async def arrive(self, back: Comeback) -> Arrival:
        """End a sign-in that this browser began; return what the provider answered.

        Raises `SignInFailed` for an answer that is not valid.
        """
        told, trip, pending = back.parameters, back.trip, back.pending
        if trip is None or pending is None:
            message = "This sign-in is not known, or took too long."
            raise SignInFailed(message, self._login, "sign_in_expired")
        metadata, issuer = await self._client.metadata(), self._client.sign_in.issuer
        claimed = told.get("iss", "" if metadata.sends_issuer else issuer)
        if claimed != issuer:  # a mix-up of providers (RFC 9207)
            raise SignInFailed("The answer is of another provider.", self._login)
        error = told.get("error", "")
        if error or not told.get("code"):
            return Arrival(error=error if _is_code(error) else "no_code")
        try:
            grant = await self._client.redeem(
                told["code"], verifier=pending.verifier, redirect_uri=self._callback
            )
            claims = await self._client.identified(grant, pending.nonce)
        except (GrantRefused, CredentialsRefused) as refused:
            raise SignInFailed("The provider's answer is not valid.", self._login) from refused
        self._check_strength(claims, trip, pending)
        return Arrival(grant, claims)

    def _check_strength(self, claims: Claims, trip: Trip, pending: Pending) -> None:
        leeway = self._client.sign_in.leeway
        try:
            Strength(trip.acr_values, trip.max_age).check(
                claims, began=pending.began, wall=self._wall(), leeway=leeway
            )
        except CredentialsRefused as refused:
            message = "The provider did not ask for as much proof as this takes."
            raise SignInFailed(
                message, self._login, "unmet_authentication_requirements"
            ) from refused


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def _once(query: bytes) -> dict[str, str]:
    """Return the parameters that were sent once; of those sent twice none is believed."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}
