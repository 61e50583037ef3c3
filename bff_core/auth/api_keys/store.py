"""What keeps API keys, or rather what is known of them."""

from collections.abc import Sequence
from typing import Protocol

from bff_core.auth.api_keys.record import ApiKeyRecord

REMEMBERED = 30 * 86_400.0
"""Seconds after its end for which a key is still listed."""


class KeyStore(Protocol):
    """Keeps keys for all processes; each method may raise `StoreUnavailable`."""

    async def add(self, record: ApiKeyRecord, /) -> bool:
        """Keep a new key; False where the prefix is taken."""
        ...

    async def find(self, prefix: str, /) -> ApiKeyRecord | None:
        """Return what is known of a key."""
        ...

    async def end(self, prefix: str, at: float, /) -> bool:
        """Let a key end at a Unix time, if not before; whether there is such a key."""
        ...

    async def remove(self, prefix: str, /) -> bool:
        """Forget a key at once; whether there was one."""
        ...

    async def used(self, prefix: str, at: float, /) -> None:
        """Note when a key was used last (Unix time)."""
        ...

    async def listed(self, subject: str = "", /) -> Sequence[ApiKeyRecord]:
        """Return the keys of one subject, or all, the newest first."""
        ...

    async def aclose(self) -> None:
        """Let go of what is open."""
        ...
