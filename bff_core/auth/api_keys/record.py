"""What an API key looks like, and what is kept of one: everything but the key."""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from bff_core.auth.viewer import Viewer

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""Characters that nobody takes for another when a key is read aloud."""

PREFIX: Final = 8
SECRET: Final = 45
"""Characters, of 5.8 bits each: more than 256 bits."""

ISSUER: Final = "api-keys"
"""What vouches for the viewers: the operator who issued the keys."""

_parse: Final = re.compile(rf"bff_([{ALPHABET}]{{{PREFIX}}})_([{ALPHABET}]{{{SECRET}}})").fullmatch


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """What is known of a key, found by its `prefix`; `digest` is the SHA-256 of all of it.

    A plain hash is enough: a secret of 256 bits can't be guessed, however fast one hashes. Times
    are Unix times in seconds; `expires_at` is 0 for a key that does not end, `last_used_at` is 0
    for one that nobody has used yet. `lifetime` is for how long it was issued (seconds), whatever
    has been made of its end since.
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
        """Whose requests are made with it."""
        return Viewer(self.subject, self.tenant, self.scopes, f"key:{self.prefix}", issuer=ISSUER)

    def has_ended(self, wall: float) -> bool:
        """Whether it is not to be taken any more."""
        return 0 < self.expires_at <= wall


def new_key() -> str:
    """Return a key: told once, to whom it is for, and kept by nobody else."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET))
    return f"bff_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """Return the part that a key is found by; None for what is no key."""
    found = _parse(key)
    return None if found is None else found[1]


def digest_of(key: str) -> str:
    """Return what is kept in place of a key."""
    return sha256(key.encode()).hexdigest()
