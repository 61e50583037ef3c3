"""Names of viewers, callers and sessions that reveal nothing about them."""

from collections.abc import Callable
from hashlib import blake2b

from bff_core.settings.model import Settings

Pseudonym = Callable[[str], str]
"""Returns the same short hash for the same text."""


def pseudonyms(settings: Settings, gateway: str) -> Pseudonym:
    """Return the hash of a gateway; its key is a secret, so that texts can't be guessed."""
    key = (settings.operator_token.get_secret_value() or gateway).encode()[:64]

    def pseudonym(text: str) -> str:
        return blake2b(text.encode(), digest_size=6, key=key, person=b"bff console").hexdigest()

    return pseudonym
