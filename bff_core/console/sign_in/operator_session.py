"""The session of an operator: a signed cookie that anyone with the operator token can get."""

import hmac
import secrets
from collections.abc import MutableMapping
from typing import Final

from bff_core.admin.operator_token import OperatorToken
from bff_core.clock import Clock

END_SESSION: Final = "console.end_session"
"""The command that ends a session in a process: `[nonce, expiry]`."""

SESSION_SECONDS: Final = 8 * 3600
"""How long a session lasts."""

MAX_ENDED: Final = 1000
"""Ended sessions that a process stores until they expire."""


class OperatorSessions:
    """Makes and checks the values of session cookies.

    A value is `expiry.nonce.signature`. The key is derived from the operator token, so all
    processes accept it, and a new token ends all sessions. `ended` are the nonces of sessions that
    were signed out, with their expiry.
    """

    def __init__(
        self, token: OperatorToken, gateway: str, *, wall: Clock, ended: MutableMapping[str, float]
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
        now = self._wall()
        for one in [one for one, expiry in self.ended.items() if expiry <= now]:
            del self.ended[one]
        if len(self.ended) < MAX_ENDED:
            self.ended[nonce] = now + SESSION_SECONDS
        return now + SESSION_SECONDS

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()
