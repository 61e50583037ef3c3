"""The session of an operator: a signed cookie that anyone with the operator token can get."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Final

from bff_core.clock import Clock

END_SESSION: Final = "console.end_session"
"""The command that ends a session in a process: `[nonce, expiry]`."""

SESSION_SECONDS: Final = 8 * 3600
"""How long a session lasts."""

MAX_ENDED: Final = 1000
"""Ended sessions that a process stores until they expire."""

MAX_FAILURES: Final = 10
"""Wrong tokens of one address within `WINDOW_SECONDS`."""

WINDOW_SECONDS: Final = 300.0
MAX_ADDRESSES: Final = 1000


class OperatorSessions:
    """Makes and checks the values of session cookies.

    A value is `expiry.nonce.signature`. The key is derived from the operator token, so all
    processes accept it, and a new token ends all sessions. `ended` are the nonces of sessions that
    were signed out, with their expiry.
    """

    def __init__(
        self, token: str, gateway: str, *, wall: Clock, ended: MutableMapping[str, float]
    ) -> None:
        purpose = b"bff console session\0" + gateway.encode()
        self._key = hmac.digest(token.encode(), purpose, "sha256")
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


class FailedAttempts:
    """Counts wrong tokens by address, so that they can't be tried out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return after how many seconds an address may try again; 0 if it may now."""
        began, count = self._by_address.get(_network(address), (0.0, 0))
        left = began + WINDOW_SECONDS - self._clock()
        return left if count >= MAX_FAILURES and left > 0 else 0.0

    def add(self, address: str) -> None:
        """Count a wrong token; the addresses that failed longest ago are forgotten first."""
        key, now = _network(address), self._clock()
        began, count = self._by_address.pop(key, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, count = now, 0
        self._by_address[key] = began, count + 1
        if len(self._by_address) > MAX_ADDRESSES:
            self._by_address.popitem(last=False)


def _network(address: str) -> str:
    """Return what one client may use many addresses of: a /64 of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:100]
    return str(found) if found.version == 4 else str(int(found) >> 64)
