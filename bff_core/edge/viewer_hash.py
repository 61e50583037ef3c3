"""The hash by which logs, traces and records name a viewer."""

import secrets
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from bff_core.auth.viewer import ANONYMOUS

DIGEST_BYTES = 6
MAX_CACHED = 4096


class ViewerHash:
    """Returns 12 hexadecimal digits for a viewer; without the key no table of viewers reverts them.

    It is that of the identity: what a viewer may do differs between gateways and sign-ins of one
    person. The key is the first of `sources` that is not empty. Without any it is random, and
    hashes of two processes differ.
    """

    __slots__ = ("_digest",)

    def __init__(self, sources: Sequence[str] = ()) -> None:
        source = next((one for one in sources if one), "") or secrets.token_hex(32)
        key = blake2b(source.encode(), person=b"bff viewer hash").digest()

        def digest(audience: str) -> str:
            identity = audience.rpartition("#")[0]
            return blake2b(identity.encode(), key=key, digest_size=DIGEST_BYTES).hexdigest()

        self._digest = lru_cache(MAX_CACHED)(digest)

    def __call__(self, audience: str) -> str:
        """Return the hash of a viewer's audience; empty for anonymous viewers."""
        return "" if audience == ANONYMOUS.audience else self._digest(audience)
