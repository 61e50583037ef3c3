"""What a session holds, and the key and the lists under which a store finds it."""

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from bff_core.auth import base64url
from bff_core.auth.viewer import Viewer

Claims = dict[str, str | int | float | bool]
"""Claims of the ID token that pages may show."""


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """The tokens that the provider issued at `given_at` (Unix time).

    The access token expires at `expires_at`. `generation` counts refreshes, so that a process
    notices that another one has newer tokens.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    given_at: float
    expires_at: float
    generation: int = 0

    @property
    def lifetime(self) -> float:
        """The seconds for which the access token is valid, from its issue."""
        return max(0.0, self.expires_at - self.given_at)

    def follows(self, other: Self) -> bool:
        """Return whether these tokens are newer than others."""
        return self.generation > other.generation


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user in one browser; tokens and provider ids never reach the browser.

    `handle` is the public id of the session, from which the cookie can't be derived.
    `provider_sid` is the id of the provider's own session, `provider_subject` its `sub`; `issuer`
    names the authority that identifies the `subject`. Times are Unix times in seconds. `tokens` is
    None if services are not called with the user's tokens. `acr` is the authentication context
    class of the sign-in at `auth_time`; empty and 0 if the provider names none.
    """

    handle: str
    subject: str
    provider_subject: str = ""
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    client: str = ""
    provider_sid: str = ""
    claims: Claims = field(default_factory=dict)
    browser: str = ""
    signed_in_at: float = 0.0
    tokens: SessionTokens | None = field(default=None, repr=False)
    acr: str = ""
    auth_time: float = 0.0
    issuer: str = ""

    @property
    def viewer(self) -> Viewer:
        """The viewer of the session's requests."""
        return Viewer(
            self.subject,
            self.tenant,
            self.scopes,
            self.client,
            session=self.handle,
            roles=self.roles,
            acr=self.acr,
            auth_time=self.auth_time,
            issuer=self.issuer,
        )

    def shares_grant_with(self, other: Self) -> bool:
        """Return whether to revoke the tokens of one session may end those of the other.

        Providers revoke the whole grant of a user to a client in one session of theirs. If a
        provider does not name its session (`sid`), two sessions of one user may share a grant.
        """
        mine, theirs = self.provider_sid, other.provider_sid
        is_same_user = (self.provider_subject, self.client) == (
            other.provider_subject,
            other.client,
        )
        return is_same_user and (not mine or not theirs or mine == theirs)


def new_secret() -> str:
    """Return 256 random bits as text: the value of a cookie, a state or a nonce."""
    return secrets.token_urlsafe(32)


def key_of(secret: str) -> str:
    """Return the key of a stored session: a digest, which does not reveal the cookie."""
    return base64url.encode(sha256(secret.encode()).digest())


def owner_of(subject: str, tenant: str) -> str:
    """Return the name of the list of a subject's sessions: a digest, which does not reveal it."""
    return key_of(f"subject {len(tenant)}:{tenant}:{subject}")


def provider_session_of(sid: str) -> str:
    """Return the name of the list of the sessions that belong to one session at the provider."""
    return key_of(f"sid {sid}")


def provider_subject_of(sub: str) -> str:
    """Return the name of the list of all sessions of a user, by the provider's `sub`."""
    return key_of(f"sub {sub}")


def provider_unnamed_of(sub: str) -> str:
    """Return the name of the list of a user's sessions for which the provider sent no `sid`."""
    return key_of(f"sub {sub} without sid")


def indexes_of(session: Session) -> list[str]:
    """Return the names of all lists that hold a session."""
    names = [owner_of(session.subject, session.tenant)]
    if session.provider_sid:
        names.append(provider_session_of(session.provider_sid))
    if session.provider_subject:
        names.append(provider_subject_of(session.provider_subject))
        if not session.provider_sid:
            names.append(provider_unnamed_of(session.provider_subject))
    return names
