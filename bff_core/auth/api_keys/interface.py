"""What a store of API keys has to do."""

from collections.abc import Sequence
from typing import Protocol

from bff_core.auth.api_keys.record import ApiKeyRecord

LISTED_AFTER_END_SECONDS = 30 * 86_400.0
"""Seconds for which an expired key is still listed."""


class ApiKeyStore(Protocol):
    """Stores the records of API keys; each method may raise `StoreUnavailable`."""

    async def add(self, record: ApiKeyRecord, /) -> bool:
        """Store a new key; return False if its prefix is in use."""
        ...

    async def find(self, prefix: str, /) -> ApiKeyRecord | None:
        """Return the record of a key; None if there is none."""
        ...

    async def end(self, prefix: str, at: float, /) -> bool:
        """Let a key expire at a Unix time at the latest; return whether there is such a key."""
        ...

    async def remove(self, prefix: str, /) -> bool:
        """Delete a key at once; return whether there was one."""
        ...

    async def used(self, prefix: str, at: float, /) -> None:
        """Store when a key was last used (Unix time)."""
        ...

    async def listed(self, subject: str = "", /) -> Sequence[ApiKeyRecord]:
        """Return the records of one subject's keys, or of all keys, the newest first."""
        ...

    async def aclose(self) -> None:
        """Close what the store opened."""
        ...
