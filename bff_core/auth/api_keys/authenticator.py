"""How a request is authenticated by an API key."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import ApiKeyRecord, digest_of, prefix_of
from bff_core.auth.authenticator import Resources
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, StoreUnavailable
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.sqlite import MEMORY, opened_file, path_of
from bff_core.upstream.client import Upstream

RECHECK_SECONDS: Final = 5.0
"""Seconds after which a cached key is looked up again: it may have been revoked."""

MAX_VALID_KEYS: Final = 10_000
"""Valid keys that are cached."""

MAX_WRONG_KEYS: Final = 1_000
"""Wrong keys that are cached."""

LAST_USED_UPDATE_SECONDS: Final = 60.0
"""Seconds between two updates of a key's `last_used_at`."""

REFUSAL: Final = "The API key is not valid."
"""The message of every refusal, whatever the reason."""


@dataclass(slots=True)
class _CachedKey:
    record: ApiKeyRecord | None
    viewer: Viewer | None
    read_at: float


class ApiKeyAuthenticator:
    """Authenticates by a key in `X-API-Key`, or in `Authorization: ApiKey <key>`.

    A request without a key is anonymous. `BFF_API_KEYS_URL` is the store of the keys. Valid and
    wrong keys are cached for a few seconds. All refusals have the same message.
    """

    challenge = "ApiKey"

    def __init__(self, header: str = "x-api-key", *, wall: Clock = time.time) -> None:
        if not header.isascii() or not header.replace("-", "").isalnum():
            raise ConfigurationError(f"ApiKeyAuthenticator: {header!r} is not the name of a header")
        self._header = header.lower().encode()
        self._wall = wall
        self._valid_keys: FIFOCache[bytes, _CachedKey] = FIFOCache(MAX_VALID_KEYS)
        self._wrong_keys: FIFOCache[bytes, _CachedKey] = FIFOCache(MAX_WRONG_KEYS)
        self._used_at: FIFOCache[str, float] = FIFOCache(MAX_VALID_KEYS)
        self._keys: ApiKeys | None = None
        self._resources: Resources | None = None

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """The security scheme in OpenAPI."""
        return {"type": "apiKey", "in": "header", "name": self._header.decode()}

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """No services: it calls none."""
        return ()

    def keyring(self) -> ApiKeys:
        """Return the API keys of the store, while the gateway runs."""
        if self._keys is None:
            raise ConfigurationError("API keys are available while the gateway runs")
        return self._keys

    def check(self, settings: Settings) -> None:
        """Accept all settings: there is a store by default."""

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what fails with several processes, by the name of the missing setting."""
        if path_of(settings.api_keys_url) != MEMORY:
            return {}
        return {"BFF_API_KEYS_URL": "an API key that one process revokes is valid in the others"}

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Open the store of the keys."""
        store = open_keys(resources.settings.api_keys_url, resources.links)
        self._keys, self._resources = ApiKeys(store, self._wall), resources
        for opened in opened_file(resources.settings.api_keys_url, "BFF_API_KEYS_URL"):
            resources.events.emit(opened)
        try:
            yield
        finally:
            self._keys = self._resources = None
            self._valid_keys.clear()
            self._wrong_keys.clear()
            await store.aclose()

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a key; None without a key. Raises `NotAuthenticated`."""
        sent = self._sent(scope)
        if sent is None:
            return None
        name, now = sha256(sent).digest(), self._clock()
        cached = self._valid_keys.get(name) or self._wrong_keys.get(name)
        if cached is None or now - cached.read_at >= RECHECK_SECONDS:
            cached = await self._look_up(name, sent, now)
        record = cached.record
        if record is None or cached.viewer is None or record.has_ended(self._wall()):
            reason = "unknown_key" if record is None else "expired"
            raise NotAuthenticated(REFUSAL, challenge=self.challenge, reason=reason)
        self._record_use(record.prefix, now)
        return cached.viewer

    def _sent(self, scope: Scope) -> bytes | None:
        sent = scope.field(self._header)
        if sent is not None:
            return sent
        proof = scope.field(b"authorization") or b""
        kind, _, rest = proof.partition(b" ")
        return rest.strip() if kind.lower() == b"apikey" else None

    async def _look_up(self, name: bytes, sent: bytes, now: float) -> _CachedKey:
        key = sent.decode("latin-1")
        prefix = prefix_of(key)
        record = None if prefix is None else await self.keyring().store.find(prefix)
        # In constant time: the duration does not reveal how much of a key was right.
        is_right = compare_digest(digest_of(key), "" if record is None else record.digest)
        found = record if is_right else None
        cached = _CachedKey(found, None if found is None else found.viewer, now)
        # Wrong keys have a cache of their own: any client can send as many as it likes.
        (self._wrong_keys if found is None else self._valid_keys)[name] = cached
        return cached

    def _record_use(self, prefix: str, now: float) -> None:
        """Update when a key was last used, in the background, once a minute."""
        if (
            now - self._used_at.get(prefix, -LAST_USED_UPDATE_SECONDS) < LAST_USED_UPDATE_SECONDS
            or self._resources is None
        ):
            return
        self._used_at[prefix] = now
        self._resources.spawn(self._store_use(prefix))

    async def _store_use(self, prefix: str) -> None:
        try:
            await self.keyring().store.used(prefix, self._wall())
        except StoreUnavailable:
            return  # a later request updates it

    def _clock(self) -> float:
        if self._resources is None:
            raise ConfigurationError("API keys are available while the gateway runs")
        return self._resources.clock()
