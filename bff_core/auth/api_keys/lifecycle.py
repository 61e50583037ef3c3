"""How API keys are issued, listed, rotated and revoked."""

import time
from collections.abc import Sequence
from typing import Final

from bff_core.auth.api_keys.interface import ApiKeyStore
from bff_core.auth.api_keys.record import ApiKeyRecord, digest_of, new_key, prefix_of
from bff_core.auth.api_keys.redis import RedisApiKeyStore
from bff_core.auth.api_keys.sqlite import SQLiteApiKeyStore
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotFound
from bff_core.redis.clients_by_url import RedisClients
from bff_core.sqlite import path_of

MAX_TEXT_LENGTH: Final = 200
"""Characters of a name, a subject, a tenant."""

DAY_SECONDS: Final = 86_400.0

MAX_LIFETIME_SECONDS: Final = 36_525 * DAY_SECONDS


class ApiKeys:
    """The API keys of a store; `issue` and `rotate` return a new key, which is not stored."""

    def __init__(self, store: ApiKeyStore, wall: Clock = time.time) -> None:
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
        """Return a new key and its record; it expires after `lifetime` seconds (0: never).

        Raises `ConfigurationError` for an invalid name, subject, scope or lifetime.
        """
        for field, value in (("name", name), ("subject", subject)):
            if not value.strip() or len(value) > MAX_TEXT_LENGTH or not value.isprintable():
                raise ConfigurationError(
                    f"the {field} of an API key has to have 1 to {MAX_TEXT_LENGTH} printable "
                    "characters"
                )
        if any(scope.split() != [scope] for scope in scopes):
            raise ConfigurationError("a scope of an API key has no spaces and is not empty")
        if not 0 <= lifetime <= MAX_LIFETIME_SECONDS:
            raise ConfigurationError("the lifetime of an API key is 0 to 100 years, in seconds")
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

    async def rotate(
        self, prefix: str, *, overlap: float = DAY_SECONDS
    ) -> tuple[str, ApiKeyRecord]:
        """Return a new key with the same grants; the old one expires `overlap` seconds from now.

        The new key has the lifetime for which the old one was issued. Raises `NotFound`, also for
        an expired key.
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
        """Revoke a key at once. Raises `NotFound`."""
        if not await self.store.remove(prefix):
            raise NotFound("There is no such key.")

    async def listed(self, subject: str = "") -> Sequence[ApiKeyRecord]:
        """Return the records of one subject's keys, or of all keys, the newest first."""
        return await self.store.listed(subject)


def open_keys(url: str, links: RedisClients) -> ApiKeyStore:
    """Return the store of a URL; "sqlite://" is a store in memory, for tests."""
    if url.startswith("sqlite:"):
        return SQLiteApiKeyStore(path_of(url))
    return RedisApiKeyStore(links.to(url))
