"""Checks the operator token, the same way for admin endpoints, `/metrics` and the console.

The right token is accepted whatever its address has sent before: behind a proxy or a NAT many
clients share an address, and none of them may lock out the others. That the token can't be guessed
follows from its length, which the settings check; limits on wrong ones protect the log.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from bff_core.client_address import network_of
from bff_core.clock import Clock, monotonic
from bff_core.errors import NotAuthenticated, TooManyRequests
from bff_core.events import Events, OperatorRefused
from bff_core.http_exchange.request_context import RequestContext

MAX_FAILURES: Final = 10
"""Wrong tokens of one address within `WINDOW_SECONDS` that are answered with 401; more with 429."""

WINDOW_SECONDS: Final = 300.0

MAX_ADDRESSES: Final = 1000
"""Addresses whose wrong tokens are counted."""

MAX_REPORTS: Final = 100
"""Events about wrong tokens within `WINDOW_SECONDS`, of all addresses."""

Place = Literal["admin", "metrics", "console"]


@dataclass(slots=True)
class _Failures:
    began: float
    count: int = 0


@dataclass(frozen=True, slots=True)
class WrongToken:
    """A refusal: another wrong token of this address is expected after `wait` seconds, or now."""

    wait: float = 0.0

    @property
    def headers(self) -> Mapping[str, str]:
        """`Retry-After`, where the address has to wait."""
        return {"retry-after": str(ceil(self.wait))} if self.wait else {}


class OperatorToken:
    """The operator token of a gateway's process; an empty `token` accepts none.

    Wrong ones are counted by address (IPv6: a /64) and are reported as `OperatorRefused`: the
    first, the tenth, the hundredth and so on within five minutes.
    """

    def __init__(self, token: str, events: Events, clock: Clock = monotonic) -> None:
        self._token = token.encode()
        self._salt = secrets.token_bytes(32)
        self._digest = self._digest_of(self._token)
        self.is_set = bool(token)
        self._events = events
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._reports = _Failures(clock())

    def refusal(self, given: bytes, address: str, place: Place) -> WrongToken | None:
        """Return why a token is refused; None for the right one. Takes the same time for all."""
        if hmac.compare_digest(self._digest_of(given), self._digest) and self.is_set:
            return None
        now = self._clock()
        failures = self._counted(network_of(address), now)
        self._report(failures.count, address, place, now)
        is_over = failures.count > MAX_FAILURES
        return WrongToken(failures.began + WINDOW_SECONDS - now if is_over else 0.0)

    def key_for(self, purpose: bytes) -> bytes:
        """Return a key that is derived from the token: the same in all processes."""
        return hmac.digest(self._token, purpose, "sha256")

    def check(self, context: RequestContext, place: Place) -> None:
        """Return if a request of the edge has the token, else raise an error.

        That is `NotAuthenticated`, and after too many wrong tokens `TooManyRequests`.
        """
        context.challenge = b"Bearer"
        given = bearer_of(context.fields.get(b"authorization", b""))
        if not given:
            raise NotAuthenticated("Send the operator's token.", reason="operator_token")
        client = context.asgi.get("client")
        refusal = self.refusal(given, client[0] if client else "", place)
        if refusal is None:
            return
        if refusal.wait:
            wait = ceil(refusal.wait)
            raise TooManyRequests(
                f"Too many wrong tokens: try again in {wait} s.", retry_after=wait
            )
        raise NotAuthenticated("That is not the operator's token.", reason="operator_token")

    def _digest_of(self, token: bytes) -> bytes:
        return hmac.digest(self._salt, token, "sha256")

    def _counted(self, network: str, now: float) -> _Failures:
        """Count a wrong token; the addresses that failed longest ago are forgotten first."""
        failures = self._failures.pop(network, None)
        if failures is None or now - failures.began >= WINDOW_SECONDS:
            failures = _Failures(now)
        failures.count += 1
        self._failures[network] = failures
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
        return failures

    def _report(self, attempts: int, address: str, place: Place, now: float) -> None:
        if not self._events.sinks or not _is_power_of_ten(attempts):
            return
        if now - self._reports.began >= WINDOW_SECONDS:
            self._reports = _Failures(now)
        self._reports.count += 1
        if self._reports.count <= MAX_REPORTS:
            self._events.emit(OperatorRefused(place, address, attempts))


def bearer_of(authorization: bytes) -> bytes:
    """Return the token of an `Authorization` field (RFC 6750); empty for another scheme."""
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _is_power_of_ten(number: int) -> bool:
    return str(number).rstrip("0") == "1"
