"""Back-channel logout: reads which sessions a logout token ends (OpenID Connect)."""

from dataclasses import dataclass
from typing import Final

from bff_core.auth.jwt import Claims, instant_of
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.errors import ClientError

LOGOUT_TOKEN_TYPES: Final = ("logout+jwt", "JWT", "")
"""The `typ` of logout tokens."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

MAX_AGE_SECONDS: Final = 86_400.0
"""Seconds after its `iat` for which a logout token is accepted, whatever its `exp` is."""


class BadLogoutToken(ClientError):
    """A logout token of the provider is not valid."""

    code = "invalid_request"
    title = "The logout token is not valid"


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The sessions that the provider has ended: its session `sid`, or all of a subject.

    The token with this `id` is accepted for `seconds` at most, by any clock within the leeway.
    """

    id: str
    subject: str
    sid: str
    seconds: float


def logout_in(claims: Claims, *, leeway: float, wall: float) -> LoggedOut:
    """Return the sessions that a verified logout token ends (section 2.6).

    Raises `CredentialsRefused`.
    """
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise CredentialsRefused("events")
    if "nonce" in claims:  # that is an ID token
        raise CredentialsRefused("nonce")
    identifier, subject, sid = (_text(claims, name) for name in ("jti", "sub", "sid"))
    if not identifier or not (subject or sid):
        raise CredentialsRefused("claim_missing")
    return LoggedOut(identifier, subject, sid, _seconds_left(claims, leeway, wall))


def _seconds_left(claims: Claims, leeway: float, wall: float) -> float:
    issued = instant_of(claims, "iat", required=True)
    ends = min(instant_of(claims, "exp", required=True), issued + MAX_AGE_SECONDS)
    left = ends + leeway - wall
    if left <= 0:
        raise CredentialsRefused("expired")
    return left + leeway  # other processes' clocks may be behind ours


def _text(claims: Claims, name: str) -> str:
    """Return a claim that is text; empty without it."""
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise CredentialsRefused(name)
    return value
