"""What is kept of somebody who signed in with a browser, and the names it is kept under."""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self

from bff_core.auth.viewer import Viewer

Claims = dict[str, str | int | float | bool]
"""What the provider said of the person that pages may show."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gave at a Unix time, `given_at`; the access token ends at `expires_at`.

    `generation` counts refreshes, so that of two processes that know the session the one that is
    behind can tell.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    given_at: float
    expires_at: float
    generation: int = 0

    @property
    def lifetime(self) -> float:
        """For how many seconds the access token is valid, from when it was given."""
        return max(0.0, self.expires_at - self.given_at)

    def follows(self, other: Self) -> bool:
        """Whether these were given later."""
        return self.generation > other.generation


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in; nothing of it but `handle` and `claims` ever reaches a browser.

    `handle` names the session to its owner, and can't be turned into the cookie. `provider_sid` is
    what the provider calls its own session, `provider_subject` its `sub`; `issuer` is what vouches
    for the `subject`. Times are Unix times in seconds; `tokens` is None where services are not
    called in the viewer's name. `acr` is the class of the proof that the user gave at `auth_time`;
    empty and 0 where the provider does not say.
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
    tokens: Tokens | None = field(default=None, repr=False)
    acr: str = ""
    auth_time: float = 0.0
    issuer: str = ""

    @property
    def viewer(self) -> Viewer:
        """The caller of the session's requests."""
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
        """Return whether revoking the tokens of one may end those of the other.

        Providers revoke what a user granted a client in one session of theirs as a whole. Where a
        provider does not name its session (`sid`), two of one user may be the same.
        """
        mine, theirs = self.provider_sid, other.provider_sid
        is_same_user = (self.provider_subject, self.client) == (
            other.provider_subject,
            other.client,
        )
        return is_same_user and (not mine or not theirs or mine == theirs)

    def with_tokens(self, tokens: Tokens) -> Self:
        """Return the session with tokens in place of its own."""
        return replace(self, tokens=tokens)

    def with_scopes(self, scopes: frozenset[str]) -> Self:
        """Return the session with what it was granted anew."""
        return replace(self, scopes=scopes)


def new_secret() -> str:
    """Return 256 bits of chance as text: the value of a cookie, a state, a nonce."""
    return secrets.token_urlsafe(32)


def key_of(secret: str) -> str:
    """Return what a session is kept under: whoever reads the store learns no cookie from it."""
    return urlsafe_b64encode(sha256(secret.encode()).digest()).rstrip(b"=").decode()


def owner_of(subject: str, tenant: str) -> str:
    """Return the name under which a person's sessions are listed; it tells nobody who that is."""
    return key_of(f"subject {len(tenant)}:{tenant}:{subject}")


def provider_session_of(sid: str) -> str:
    """Return the name under which the sessions of a session of the provider's are listed."""
    return key_of(f"sid {sid}")


def provider_subject_of(sub: str) -> str:
    """Return the name under which all sessions of whoever the provider knows so are listed."""
    return key_of(f"sub {sub}")


def provider_unnamed_of(sub: str) -> str:
    """Return the name of the list of a user's sessions for which the provider gave no `sid`."""
    return key_of(f"sub {sub} without sid")


def indexes_of(session: Session) -> list[str]:
    """Return all names under which a session is listed."""
    names = [owner_of(session.subject, session.tenant)]
    if session.provider_sid:
        names.append(provider_session_of(session.provider_sid))
    if session.provider_subject:
        names.append(provider_subject_of(session.provider_subject))
        if not session.provider_sid:
            names.append(provider_unnamed_of(session.provider_subject))
    return names
