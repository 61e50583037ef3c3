"""Issues API keys, and everything that happens to them until they end."""

import time
from collections.abc import Sequence
from typing import Final, Protocol

from bff_core.auth.api_keys.record import ApiKeyRecord, digest_of, new_key, prefix_of
from bff_core.auth.api_keys.redis import RedisKeys
from bff_core.auth.api_keys.sqlite import SQLiteKeys
from bff_core.auth.api_keys.store import KeyStore
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotFound
from bff_core.redis.interface import RedisInterface
from bff_core.sqlite import path_of

LONGEST: Final = 200
"""Characters of a name, a subject, a tenant."""

DAY: Final = 86_400.0

CENTURY: Final = 36_525 * DAY


class KeyClients(Protocol):
    """Opens the links to what gateways share."""

    def to(self, url: str, /) -> RedisInterface:
        """Return the link to a Redis."""
        ...


class ApiKeys:
    """The keys of a store: issue, list, rotate, revoke. A key itself is told once, by `issue`."""

    def __init__(self, store: KeyStore, wall: Clock = time.time) -> None:
        self.store = store
        self._wall = wall

    async def issue(
        self,
        name: str,
        subject: str,
        *,
        tenant: str = "",
        scopes: Sequence[str] = (),
        lifetime: float = 0.0,
    ) -> tuple[str, ApiKeyRecord]:
        """Return a new key and what is kept of it; it ends after `lifetime` seconds (0: never).

        Raises `ConfigurationError` for what can't be kept.
        """
        for told, value in (("name", name), ("subject", subject)):
            if not value.strip() or len(value) > LONGEST or not value.isprintable():
                raise ConfigurationError(
                    f"an API key has a {told} of 1 to {LONGEST} printable characters"
                )
        if any(scope.split() != [scope] for scope in scopes):
            raise ConfigurationError("scopes are words")
        if not 0 <= lifetime <= CENTURY:
            raise ConfigurationError("a lifetime is seconds, from 0 to those of a century")
        now = self._wall()
        while True:
            key = new_key()
            record = ApiKeyRecord(
                prefix_of(key) or "",
                digest_of(key),
                name,
                subject,
                tenant,
                frozenset(scopes),
                now,
                now + lifetime if lifetime else 0.0,
                lifetime=lifetime,
            )
            if await self.store.add(record):
                return key, record

    async def rotate(self, prefix: str, *, overlap: float = DAY) -> tuple[str, ApiKeyRecord]:
        """Return a successor with the same grants; the key itself ends `overlap` seconds from now.

        The successor lives as long as the key was given. Raises `NotFound`, also for one that has
        ended.
        """
        known = await self.store.find(prefix)
        if known is None or known.has_ended(self._wall()):
            raise NotFound("There is no such key.")
        issued = await self.issue(
            known.name,
            known.subject,
            tenant=known.tenant,
            scopes=tuple(known.scopes),
            lifetime=known.lifetime,
        )
        await self.store.end(prefix, self._wall() + max(overlap, 0.0))
        return issued

    async def revoke(self, prefix: str) -> None:
        """End a key at once. Raises `NotFound`."""
        if not await self.store.remove(prefix):
            raise NotFound("There is no such key.")

    async def listed(self, subject: str = "") -> Sequence[ApiKeyRecord]:
        """Return what is known of the keys of one subject, or of all, the newest first."""
        return await self.store.listed(subject)


def open_keys(url: str, links: KeyClients) -> KeyStore:
    """Return the store at a URL of the settings; "sqlite://" is memory, and for tests."""
    if url.startswith("sqlite:"):
        return SQLiteKeys(path_of(url))
    return RedisKeys(links.to(url))
