"""One sign-in: what a browser is sent away with, and what it has to bring back."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from bff_core.auth.jwt import Claims, Refused
from bff_core.auth.oidc.client import Client, Grant, GrantRefused
from bff_core.auth.session.cookie import PREFIX, Cookie
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import key_of, new_secret
from bff_core.call import Headers
from bff_core.clock import Clock
from bff_core.errors import ClientError

PATIENCE: Final = 600.0
"""Seconds that somebody may take to sign in."""

MOST_TABS: Final = 4
"""Sign-ins of one browser that may be under way; one more forgets the others."""

LONGEST_RETURN: Final = 2048

MOST_PARAMETERS: Final = 20

_is_local: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*").fullmatch
_is_code: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch


class SignInFailed(ClientError):
    """A sign-in can't be gone on with: it has to be begun anew."""

    code = "sign_in_failed"
    title = "Signing in failed"

    def __init__(self, message: str, login: str) -> None:
        super().__init__(message)
        self._login = login

    @property
    def members(self) -> Mapping[str, object]:
        """Where to begin anew."""
        return {"login": self._login}


@dataclass(frozen=True, slots=True)
class Pending:
    """What a browser keeps, sealed, while its user is with the provider; `until` is Unix time."""

    nonce: str
    verifier: str
    return_url: str
    until: float


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent, with the cookies that it will need."""

    location: str
    cookies: Headers


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that is back: with a grant and the claims of who signed in, or with an `error`."""

    return_url: str
    grant: Grant | None = None
    claims: Claims | None = None
    error: str = ""


class Flow:
    """The authorization code flow with PKCE, state and nonce (RFC 6749, RFC 7636, RFC 9700).

    State and nonce are bound to the browser by a sealed cookie that nobody else can make, so that
    nobody can be signed in as somebody else by a link. `callback` is our own address there.
    """

    def __init__(
        self,
        client: Client,
        sealing: Sealing,
        *,
        callback: str,
        login: str,
        wall: Clock = time.time,
    ) -> None:
        self._client = client
        self._sealing = sealing
        self._callback = callback
        self._login = login
        self._wall = wall

    async def depart(
        self, headers: Headers, return_url: str, wishes: Mapping[str, str]
    ) -> Departure:
        """Begin a sign-in; raises `SignInFailed` for a return to elsewhere."""
        if not _is_local(return_url) or len(return_url) > LONGEST_RETURN:
            raise SignInFailed("returnUrl has to be a path of this site, such as /.", self._login)
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        metadata, sign_in = await self._client.metadata(), self._client.sign_in
        parameters = {
            **sign_in.extra,
            **wishes,
            "response_type": "code",
            "client_id": sign_in.client_id,
            "redirect_uri": self._callback,
            "scope": " ".join(sign_in.scope),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        if metadata.pushed:
            uri = await self._client.push(parameters)
            parameters = {"client_id": sign_in.client_id, "request_uri": uri}
        pending = Pending(nonce, verifier, return_url, self._wall() + PATIENCE)
        sealed = self._sealing.seal_text(msgspec.json.encode(pending), f"sign-in {state}")
        kept = _cookie(state).written(sealed, seconds=PATIENCE)
        return Departure(_with(metadata.authorization, parameters), (*_stale(headers), kept))

    async def arrive(self, headers: Headers, query: bytes) -> tuple[Arrival, Headers]:
        """End a sign-in; return who is there, and the cookies of that sign-in taken back.

        Raises `SignInFailed` for what this browser has not begun, or not in time.
        """
        told = _once(query)
        state = told.get("state", "")
        cookie = _cookie(state)
        pending = self._pending(cookie.read(headers), state)
        if pending is None:
            raise SignInFailed("This sign-in is not known, or took too long.", self._login)
        arrival = await self._judged(told, pending)
        return arrival, (cookie.cleared(),)

    async def _judged(self, told: Mapping[str, str], pending: Pending) -> Arrival:
        metadata, issuer = await self._client.metadata(), self._client.sign_in.issuer
        claimed = told.get("iss", "" if metadata.tells_issuer else issuer)
        if claimed != issuer:  # a mix-up of providers (RFC 9207)
            raise SignInFailed("The answer is of another provider.", self._login)
        error = told.get("error", "")
        if error or not told.get("code"):
            return Arrival(pending.return_url, error=error if _is_code(error) else "no_code")
        try:
            grant = await self._client.redeem(
                told["code"], verifier=pending.verifier, redirect_uri=self._callback
            )
            claims = await self._client.identified(grant, pending.nonce)
        except (GrantRefused, Refused) as refused:
            raise SignInFailed("The provider's answer is not valid.", self._login) from refused
        return Arrival(pending.return_url, grant, claims)

    def _pending(self, sealed: str | None, state: str) -> Pending | None:
        plain = self._sealing.open_text(sealed, f"sign-in {state}") if sealed and state else None
        if plain is None:
            return None
        pending = msgspec.json.decode(plain, type=Pending)
        return pending if self._wall() < pending.until else None


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def with_error(url: str, error: str) -> str:
    """Return a local address that tells its page why nobody is signed in."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'login_error': error})}"


def _with(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def _cookie(state: str) -> Cookie:
    """Return the cookie of one sign-in; Lax, as the provider's redirect comes from elsewhere."""
    return Cookie(f"{PREFIX}bff-sign-in-{key_of(state)[:8]}", same_site="Lax")


def _stale(headers: Headers) -> Headers:
    """Return what takes back the cookies of other sign-ins, where there are too many."""
    text = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    names = set(re.findall(rf"{PREFIX}bff-sign-in-[A-Za-z0-9_-]{{8}}(?==)", text))
    if len(names) < MOST_TABS:
        return ()
    return tuple(Cookie(name, same_site="Lax").cleared() for name in sorted(names))


def _once(query: bytes) -> dict[str, str]:
    """Return the parameters that were sent once; of those sent twice none is believed."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}
