"""Checks the signature and the time of a webhook, and that it is no replay.

In the manner of Standard Webhooks (symmetric, `v1`): HMAC-SHA-256 over id, timestamp and body.
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
"""Seconds that a message's timestamp may be off; so long is a message remembered, too."""

MAX_REMEMBERED_MESSAGES: Final = 10_000
"""So many messages are remembered; only those who know a secret can send one."""

MAX_SIGNATURES: Final = 16

_ENCODED: Final = "whsec_"
_NAME: Final = re.compile(rb"[!-~]{1,256}")
_SECONDS: Final = re.compile(rb"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What the header fields of a message say: its id, Unix time in seconds, and signatures."""

    id: bytes
    timestamp: bytes
    signatures: bytes

    @property
    def is_well_formed(self) -> bool:
        """Whether the id is a name without spaces, and the time a whole number."""
        return bool(_NAME.fullmatch(self.id) and _SECONDS.fullmatch(self.timestamp))

    def is_recent(self, now: float) -> bool:
        """Whether it was signed within the last minutes, or the next; `now` is a Unix time."""
        return abs(now - int(self.timestamp)) <= MAX_SKEW_SECONDS


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for: its bytes, or what `whsec_…` holds in base64.

    Raises `ValueError` where it holds no base64.
    """
    if not secret.startswith(_ENCODED):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(_ENCODED), validate=True)
    except NotBase64 as error:
        raise ValueError(f"what follows {_ENCODED} is base64") from error


def sign(key: bytes, name: bytes, timestamp: bytes, body: bytes) -> bytes:
    """Return the signature of a message, as its header field has it."""
    content = b"%b.%b.%b" % (name, timestamp, body)
    return b"v1," + b64encode(hmac.digest(key, content, "sha256"))


class SignatureVerifier:
    """Checks signatures by the secrets in use, the old and the new, and remembers messages."""

    __slots__ = ("_keys", "_received")

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [key_of(secret) for secret in secrets]
        self._received: FIFOCache[bytes, float] = FIFOCache(MAX_REMEMBERED_MESSAGES)

    def match(self, message: SignedMessage, body: bytes) -> bool:
        """Whether one of the signatures is made with one of the secrets; compared in constant time.

        Its sender may change secrets as well: there may be several signatures, as many as are read.
        """
        given = message.signatures.split()[:MAX_SIGNATURES]
        expected = [sign(key, message.id, message.timestamp, body) for key in self._keys]
        return any(hmac.compare_digest(one, own) for one in given for own in expected)

    def is_replay(self, message: SignedMessage, body: bytes, now: float) -> bool:
        """Whether it is a replay.

        It is known by all that is signed, and not by its id alone: what two messages of one
        careless sender say is done.
        """
        self._forget(now)
        return self._name(message, body) in self._received

    def remember(self, message: SignedMessage, body: bytes) -> None:
        """Know it again for as long as its timestamp could be believed."""
        self._received[self._name(message, body)] = int(message.timestamp) + MAX_SKEW_SECONDS

    def _name(self, message: SignedMessage, body: bytes) -> bytes:
        return sign(self._keys[0], message.id, message.timestamp, body)

    def _forget(self, now: float) -> None:
        """Forget messages that are over, in their order; one behind another that is not waits."""
        while self._received:
            name = next(iter(self._received))
            if self._received[name] >= now:
                return
            del self._received[name]
