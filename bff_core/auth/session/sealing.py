"""How stored sessions and cookies are encrypted with the gateway's keys (AES-256-GCM)."""

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bff_core.auth import base64url
from bff_core.errors import ConfigurationError

NONCE_BYTES: Final = 12
KEY_ID_BYTES: Final = 4
"""Bytes in front of the nonce that name the key."""


class Sealing:
    """Encrypts with the first of several secrets and decrypts with all, so that keys can rotate.

    A sealed value opens with the same `purpose` only, so the sealed data of one session can't
    replace that of another.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ConfigurationError(
                "sessions are encrypted, and there is no key: set BFF_SESSION_KEYS, as in "
                "BFF_SESSION_KEYS=$(openssl rand -base64 32); separate several keys by commas, "
                "the newest first"
            )
        digests = [sha256(b"bff seal " + secret.encode()).digest() for secret in secrets]
        key_ids = [sha256(b"name of " + digest).digest()[:KEY_ID_BYTES] for digest in digests]
        self._current = key_ids[0]
        self._ciphers = {
            key_id: AESGCM(digest) for key_id, digest in zip(key_ids, digests, strict=True)
        }

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt bytes for one purpose with the current key."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, purpose.encode())
        return self._current + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Decrypt bytes; return None if no key has sealed them for this purpose."""
        cipher = self._ciphers.get(sealed[:KEY_ID_BYTES])
        rest = sealed[KEY_ID_BYTES:]
        if cipher is None or len(rest) < NONCE_BYTES:
            return None
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], purpose.encode())
        except InvalidTag:
            return None

    def seal_text(self, plain: bytes, purpose: str) -> str:
        """Encrypt bytes to a text that a cookie can hold."""
        return base64url.encode(self.seal(plain, purpose))

    def open_text(self, sealed: str, purpose: str) -> bytes | None:
        """Decrypt such a text; return None if no key has sealed it for this purpose."""
        try:
            octets = base64url.decode(sealed)
        except ValueError:
            return None
        return self.open(octets, purpose)
