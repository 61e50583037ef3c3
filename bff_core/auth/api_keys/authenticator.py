"""Takes API keys; what was verified is known for a few seconds without asking the store."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import ApiKeyRecord, digest_of, prefix_of
from bff_core.auth.authenticator import Resources
from bff_core.auth.viewer import Viewer
from bff_core.call import find_header
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, StoreUnavailable
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.sqlite import MEMORY, opened_file, path_of
from bff_core.upstream.client import Upstream

BELIEVED: Final = 5.0
"""Seconds after which a key is looked up again: it may have been revoked."""

REMEMBERED: Final = 10_000
"""Keys that are known without asking."""

MOST_WRONG: Final = 1_000
"""Wrong ones that are known so."""

SELDOM: Final = 60.0
"""Seconds between two notes of when a key was used last."""

REFUSAL: Final = "The API key is not valid."
"""What everybody is told whose key is refused, whatever the reason."""


@dataclass(slots=True)
class _Known:
    record: ApiKeyRecord | None
    viewer: Viewer | None
    read_at: float


class ApiKeyAuthenticator:
    """Takes a key in `X-API-Key`, or as `Authorization: ApiKey <key>`; without one, nobody.

    Keys are where `BFF_API_KEYS_URL` says. All refusals look alike.
    """

    challenge = "ApiKey"

    def __init__(self, header: str = "x-api-key", *, wall: Clock = time.time) -> None:
        if not header.isascii() or not header.replace("-", "").isalnum():
            raise ConfigurationError(f"ApiKeyAuthenticator: {header!r} is no name of a header")
        self._header = header.lower().encode()
        self._wall = wall
        self._known: dict[bytes, _Known] = {}
        self._wrong: dict[bytes, _Known] = {}
        self._noted: dict[str, float] = {}
        self._keys: ApiKeys | None = None
        self._resources: Resources | None = None

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """How OpenAPI calls it."""
        return {"type": "apiKey", "in": "header", "name": self._header.decode()}

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """None."""
        return ()

    def keyring(self) -> ApiKeys:
        """Return what issues keys, while the gateway runs."""
        if self._keys is None:
            raise ConfigurationError("API keys are there while the gateway runs")
        return self._keys

    def check(self, settings: Settings) -> None:
        """Find nothing wrong: there is a store by default."""

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what goes wrong in several processes, by the variable that is missing."""
        if path_of(settings.api_keys_url) != MEMORY:
            return {}
        return {"BFF_API_KEYS_URL": "an API key that one process revokes is good in the others"}

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Hold the store open."""
        store = open_keys(resources.settings.api_keys_url, resources.links)
        self._keys, self._resources = ApiKeys(store, self._wall), resources
        for opened in opened_file(resources.settings.api_keys_url, "BFF_API_KEYS_URL"):
            resources.events.emit(opened)
        try:
            yield
        finally:
            self._keys = self._resources = None
            self._known.clear()
            self._wrong.clear()
            await store.aclose()

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return whose key it is; None without one. Raises `NotAuthenticated`."""
        sent = self._sent(scope)
        if sent is None:
            return None
        name, now = sha256(sent).digest(), self._clock()
        known = self._known.get(name) or self._wrong.get(name)
        if known is None or now - known.read_at >= BELIEVED:
            known = await self._look(name, sent, now)
        record = known.record
        if record is None or known.viewer is None or record.has_ended(self._wall()):
            reason = "unknown_key" if record is None else "expired"
            raise NotAuthenticated(REFUSAL, challenge=self.challenge, reason=reason)
        self._note(record.prefix, now)
        return known.viewer

    def _sent(self, scope: Scope) -> bytes | None:
        sent = find_header(scope.headers, self._header)
        if sent is not None:
            return sent
        proof = find_header(scope.headers, b"authorization") or b""
        kind, _, rest = proof.partition(b" ")
        return rest.strip() if kind.lower() == b"apikey" else None

    async def _look(self, name: bytes, sent: bytes, now: float) -> _Known:
        key = sent.decode("latin-1")
        prefix = prefix_of(key)
        record = None if prefix is None else await self.keyring().store.find(prefix)
        # In constant time: how long it takes tells nobody how much of a key was right.
        is_right = compare_digest(digest_of(key), "" if record is None else record.digest)
        found = record if is_right else None
        known = _Known(found, None if found is None else found.viewer, now)
        # Wrong ones are remembered apart: anybody can send as many as they like.
        kept, most = (self._known, REMEMBERED) if found is not None else (self._wrong, MOST_WRONG)
        kept.pop(name, None)
        kept[name] = known
        if len(kept) > most:
            del kept[next(iter(kept))]
        return known

    def _note(self, prefix: str, now: float) -> None:
        """Write down that a key was used, behind the request, once a minute."""
        if now - self._noted.get(prefix, -SELDOM) < SELDOM or self._resources is None:
            return
        self._noted.pop(prefix, None)
        self._noted[prefix] = now
        if len(self._noted) > REMEMBERED:
            del self._noted[next(iter(self._noted))]
        self._resources.spawn(self._write(prefix))

    async def _write(self, prefix: str) -> None:
        try:
            await self.keyring().store.used(prefix, self._wall())
        except StoreUnavailable:
            return  # it will be used again

    def _clock(self) -> float:
        if self._resources is None:
            raise ConfigurationError("API keys are there while the gateway runs")
        return self._resources.clock()
