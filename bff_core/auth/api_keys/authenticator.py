"""How a request is authenticated by an API key."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import ApiKeyRecord, digest_of, prefix_of
from bff_core.auth.authenticator import Resources, StatefulAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, StoreUnavailable
from bff_core.keywords import checks_keywords
from bff_core.scope import WEBSOCKET, Scope
from bff_core.settings.model import Settings
from bff_core.sqlite import MEMORY, opened_file, path_of
from bff_core.upstream.runtime import Spawn

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


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """The record of a key that a caller sent, and its viewer; None for a wrong key."""

    record: ApiKeyRecord | None
    viewer: Viewer | None
    read_at: float


class RunningApiKeys:
    """The keys of a store: finds the record of a key, caches it, records its last use."""

    def __init__(self, keys: ApiKeys, *, spawn: Spawn, clock: Clock, wall: Clock) -> None:
        self.keys = keys
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._valid: FIFOCache[bytes, CheckedKey] = FIFOCache(MAX_VALID_KEYS)
        self._wrong: FIFOCache[bytes, CheckedKey] = FIFOCache(MAX_WRONG_KEYS)
        self._used_at: FIFOCache[str, float] = FIFOCache(MAX_VALID_KEYS)

    def cached(self, digest: bytes) -> CheckedKey | None:
        """Return a key that was looked up not long ago, by its digest; else None."""
        known = self._valid.get(digest) or self._wrong.get(digest)
        return None if known is None or self._clock() - known.read_at >= RECHECK_SECONDS else known

    async def look_up(self, digest: bytes, sent: bytes) -> CheckedKey:
        """Look up a key in the store."""
        key, now = sent.decode("latin-1"), self._clock()
        prefix = prefix_of(key)
        record = None if prefix is None else await self.keys.store.find(prefix)
        # In constant time: the duration does not reveal how much of a key was right.
        is_right = compare_digest(digest_of(key), "" if record is None else record.digest)
        found = record if is_right else None
        checked = CheckedKey(found, None if found is None else found.viewer, now)
        # Wrong keys have a cache of their own: any client can send as many as it likes.
        (self._wrong if found is None else self._valid)[digest] = checked
        return checked

    def record_use(self, prefix: str) -> None:
        """Update when a key was last used, in the background, once a minute."""
        now = self._clock()
        if now - self._used_at.get(prefix, -LAST_USED_UPDATE_SECONDS) < LAST_USED_UPDATE_SECONDS:
            return
        self._used_at[prefix] = now
        self._spawn(self._store_use(prefix))

    async def _store_use(self, prefix: str) -> None:
        try:
            await self.keys.store.used(prefix, self._wall())
        except StoreUnavailable:
            return  # a later request updates it


@checks_keywords
class ApiKeyAuthenticator(StatefulAuthenticator[RunningApiKeys]):
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

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """The security scheme in OpenAPI."""
        return {"type": "apiKey", "in": "header", "name": self._header.decode()}

    def keyring(self) -> ApiKeys:
        """Return the API keys of the store; raise `ConfigurationError` unless the gateway runs."""
        return self.running.keys

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what fails with several processes, by the name of the missing setting."""
        if path_of(settings.api_keys_url) != MEMORY:
            return {}
        return {"BFF_API_KEYS_URL": "an API key that one process revokes is valid in the others"}

    @asynccontextmanager
    async def start(self, resources: Resources) -> AsyncIterator[RunningApiKeys]:
        """Yield the keys of the store, which is open until the context ends."""
        store = open_keys(resources.settings.api_keys_url, resources.links)
        for opened in opened_file(resources.settings.api_keys_url, "BFF_API_KEYS_URL"):
            resources.events.emit(opened)
        keys = ApiKeys(store, self._wall)
        try:
            yield RunningApiKeys(
                keys, spawn=resources.spawn, clock=resources.clock, wall=self._wall
            )
        finally:
            await store.aclose()

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a key; None without a key. Raises `NotAuthenticated`."""
        sent = self._sent(scope)
        if sent is None:
            return None
        running, digest = self.running, sha256(sent).digest()
        checked = running.cached(digest) or await running.look_up(digest, sent)
        record = checked.record
        if record is None or checked.viewer is None or record.has_ended(self._wall()):
            reason = "unknown_key" if record is None else "expired"
            raise NotAuthenticated(REFUSAL, challenge=self.challenge, reason=reason)
        running.record_use(record.prefix)
        if scope.method == WEBSOCKET:
            scope.recheck = partial(self.authenticate, scope)
        return checked.viewer

    def _sent(self, scope: Scope) -> bytes | None:
        sent = scope.field(self._header)
        if sent is not None:
            scope.credential_fields |= {self._header}
            return sent
        proof = scope.field(b"authorization") or b""
        kind, _, rest = proof.partition(b" ")
        return rest.strip() if kind.lower() == b"apikey" else None
