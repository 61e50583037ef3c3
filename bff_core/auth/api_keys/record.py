"""The format of an API key, and the record that is stored of it: everything but the key."""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from bff_core.auth.viewer import Viewer

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""Characters that people don't confuse when they read a key aloud."""

PREFIX_LENGTH: Final = 8
SECRET_LENGTH: Final = 45
"""Characters of 5.8 bits each: more than 256 bits."""

ISSUER: Final = "api-keys"
"""The issuer of viewers with API keys."""

_parse: Final = re.compile(
    rf"bff_([{ALPHABET}]{{{PREFIX_LENGTH}}})_([{ALPHABET}]{{{SECRET_LENGTH}}})"
).fullmatch


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """The record of an API key, found by its `prefix`; `digest` is the SHA-256 of the key.

    A plain hash is enough: a secret of 256 bits can't be guessed, however fast hashing is. Times
    are Unix times in seconds; `expires_at` is 0 for a key that does not expire, `last_used_at` is 0
    for an unused key. `lifetime` is for how long it was issued (seconds), even if it was rotated
    since.
    """

    prefix: str
    digest: str = field(repr=False)
    name: str
    subject: str
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    created_at: float = 0.0
    expires_at: float = 0.0
    last_used_at: float = 0.0
    lifetime: float = 0.0

    @property
    def viewer(self) -> Viewer:
        """The viewer of requests with the key."""
        return Viewer(self.subject, self.tenant, self.scopes, f"key:{self.prefix}", issuer=ISSUER)

    def has_ended(self, wall: float) -> bool:
        """Return whether the key has expired at a Unix time."""
        return 0 < self.expires_at <= wall


def new_key() -> str:
    """Return a new random key, which its owner stores and the gateway does not."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"bff_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """Return the prefix by which a key is found; None for a text that is no key."""
    found = _parse(key)
    return None if found is None else found[1]


def digest_of(key: str) -> str:
    """Return the digest that is stored in place of a key."""
    return sha256(key.encode()).hexdigest()
