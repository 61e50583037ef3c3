"""Webhook signatures: verifies signature and timestamp, and detects replays.

The format is that of Standard Webhooks (symmetric, `v1`): HMAC-SHA-256 of id, timestamp and body.
"""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

MAX_SKEW_SECONDS: Final = 300.0
"""Seconds by which the timestamp of a message may be wrong; messages are remembered as long."""

MAX_REMEMBERED_MESSAGES: Final = 10_000
"""Messages that are remembered; only senders who know a secret can add one."""

MAX_SIGNATURES: Final = 16

_ENCODED: Final = "whsec_"
_NAME: Final = re.compile(rb"[!-~]{1,256}")
_SECONDS: Final = re.compile(rb"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """The header fields of a message: its id, its Unix time in seconds, and its signatures."""

    id: bytes
    timestamp: bytes
    signatures: bytes

    @property
    def is_well_formed(self) -> bool:
        """Whether the id is visible ASCII, and the time a whole number."""
        return bool(_NAME.fullmatch(self.id) and _SECONDS.fullmatch(self.timestamp))

    def is_recent(self, now: float) -> bool:
        """Return whether the timestamp is close to `now` (Unix time)."""
        return abs(now - int(self.timestamp)) <= MAX_SKEW_SECONDS


def key_of(secret: str) -> bytes:
    """Return the key of a secret: its bytes, or after `whsec_` those that it encodes in base64.

    Raises `ValueError` if that is not base64.
    """
    if not secret.startswith(_ENCODED):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(_ENCODED), validate=True)
    except NotBase64 as error:
        raise ValueError(f"the text after {_ENCODED} has to be base64") from error


def sign(key: bytes, name: bytes, timestamp: bytes, body: bytes) -> bytes:
    """Return the signature of a message, as its header carries it."""
    content = b"%b.%b.%b" % (name, timestamp, body)
    return b"v1," + b64encode(hmac.digest(key, content, "sha256"))


class SignatureVerifier:
    """Verifies signatures with several secrets, so that they can rotate, and detects replays."""

    __slots__ = ("_keys", "_received")

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [key_of(secret) for secret in secrets]
        self._received: FIFOCache[bytes, float] = FIFOCache(MAX_REMEMBERED_MESSAGES)

    def match(self, message: SignedMessage, body: bytes) -> bool:
        """Return whether a secret made one of the signatures; compares in constant time.

        A sender that rotates its secrets sends several signatures; `MAX_SIGNATURES` are checked.
        """
        given = message.signatures.split()[:MAX_SIGNATURES]
        expected = [sign(key, message.id, message.timestamp, body) for key in self._keys]
        return any(hmac.compare_digest(one, own) for one in given for own in expected)

    def is_replay(self, message: SignedMessage, body: bytes, now: float) -> bool:
        """Return whether a message was received before.

        Messages are compared by all that is signed: some senders reuse an id for another message.
        """
        self._forget(now)
        return self._name(message, body) in self._received

    def remember(self, message: SignedMessage, body: bytes) -> None:
        """Remember a message for as long as its timestamp is accepted."""
        self._received[self._name(message, body)] = int(message.timestamp) + MAX_SKEW_SECONDS

    def _name(self, message: SignedMessage, body: bytes) -> bytes:
        return sign(self._keys[0], message.id, message.timestamp, body)

    def _forget(self, now: float) -> None:
        """Drop expired messages, up to the first one that has not expired."""
        while self._received:
            name = next(iter(self._received))
            if self._received[name] >= now:
                return
            del self._received[name]
