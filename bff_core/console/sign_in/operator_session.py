"""The session of an operator: a signed cookie that anyone with the operator token can get."""

import hmac
import secrets
import time
from typing import Final

from bff_core.admin.operator_token import OperatorToken
from bff_core.clock import Clock

END_SESSION: Final = "console.end_session"
"""The command that ends a session in a process: `[nonce, expiry]`."""

SESSION_SECONDS: Final = 8 * 3600
"""How long a session lasts."""

MAX_ENDED: Final = 1000
"""Ended sessions that a process stores until they expire; of more the first are dropped."""


class EndedSessions:
    """The nonces of sessions that were signed out, until they expire; `wall` returns Unix time."""

    def __init__(self, wall: Clock = time.time) -> None:
        self._wall = wall
        self._expiries: dict[str, float] = {}

    def __contains__(self, nonce: str) -> bool:
        return nonce in self._expiries

    def __len__(self) -> int:
        return len(self._expiries)

    def add(self, nonce: str, expiry: float) -> None:
        """Store a session that has ended before its `expiry`."""
        now = self._wall()
        self._expiries = {one: until for one, until in self._expiries.items() if until > now}
        self._expiries[nonce] = expiry
        if len(self._expiries) > MAX_ENDED:
            del self._expiries[next(iter(self._expiries))]


class OperatorSessions:
    """Makes and checks the values of session cookies.

    A value is `expiry.nonce.signature`. The key is derived from the operator token, so all
    processes accept it, and a new token ends all sessions. `ended` are those that were signed out.
    """

    def __init__(
        self, token: OperatorToken, gateway: str, *, wall: Clock, ended: EndedSessions
    ) -> None:
        self._key = token.key_for(b"bff console session\0" + gateway.encode())
        self._wall = wall
        self.ended = ended

    def new(self) -> str:
        """Return the value of a new session's cookie."""
        text = f"{self._wall() + SESSION_SECONDS:.0f}.{secrets.token_urlsafe(12)}"
        return f"{text}.{self._signature(text)}"

    def nonce(self, value: str) -> str | None:
        """Return the nonce of a valid session; None for any other value."""
        text, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        expiry, _, nonce = text.partition(".")
        return None if int(expiry) <= self._wall() or nonce in self.ended else nonce

    def end(self, nonce: str) -> float:
        """End a session in this process; return until when others have to refuse it."""
        expiry = self._wall() + SESSION_SECONDS
        self.ended.add(nonce, expiry)
        return expiry

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()
