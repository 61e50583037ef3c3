"""Makes what is written down unreadable without the gateway's keys (AES-256-GCM)."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bff_core.errors import ConfigurationError

NONCE: Final = 12
NAME: Final = 4
"""Bytes in front of what is sealed: which key it was sealed with."""


class Sealing:
    """A ring of secrets: the first seals, all of them open, so that they can be rotated.

    What was sealed opens under the same `purpose` only: what is kept of one session can't be put
    in the place of another's.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ConfigurationError(
                "sessions are sealed, and there is no secret to do it with: set BFF_SESSION_KEYS, "
                "as in BFF_SESSION_KEYS=$(openssl rand -base64 32); several are separated by "
                "commas, the newest first"
            )
        digests = [sha256(b"bff seal " + secret.encode()).digest() for secret in secrets]
        names = [sha256(b"name of " + digest).digest()[:NAME] for digest in digests]
        self._first = names[0]
        self._ring = {name: AESGCM(digest) for name, digest in zip(names, digests, strict=True)}

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Return what only the ring can read."""
        nonce = os.urandom(NONCE)
        sealed = self._ring[self._first].encrypt(nonce, plain, purpose.encode())
        return self._first + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Return what was sealed; None for what no key of the ring has sealed for this purpose."""
        cipher = self._ring.get(sealed[:NAME])
        nonce, rest = sealed[NAME : NAME + NONCE], sealed[NAME + NONCE :]
        if cipher is None or len(nonce) < NONCE:
            return None
        try:
            return cipher.decrypt(nonce, rest, purpose.encode())
        except InvalidTag:
            return None

    def seal_text(self, plain: bytes, purpose: str) -> str:
        """Return the same as text that a cookie can hold."""
        return urlsafe_b64encode(self.seal(plain, purpose)).rstrip(b"=").decode()

    def open_text(self, sealed: str, purpose: str) -> bytes | None:
        """Return what was sealed as text; None for anything else."""
        try:
            octets = urlsafe_b64decode(sealed.encode() + b"=" * (-len(sealed) % 4))
        except ValueError:
            return None
        return self.open(octets, purpose)
