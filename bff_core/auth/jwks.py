"""The signing keys of an issuer: fetches its JWK set, refreshes it, notices withdrawn keys."""

from collections.abc import Callable, Mapping
from typing import Final

from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwt import PublicKey, Unverified, key_for, keys_of
from bff_core.clock import Clock
from bff_core.errors import ProviderUnavailable, UpstreamError, answered
from bff_core.oauth.endpoint import document_service, without_bom
from bff_core.refreshed_value import Fetched, Refreshed
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

REFRESH_SECONDS: Final = 240.0
"""Age of the keys at which they are fetched again in the background."""

FRESH_SECONDS: Final = 300.0
"""Age of the keys at which callers wait for that fetch, since a key may have been withdrawn."""

FETCH_INTERVAL_SECONDS: Final = 30.0
"""Seconds between two fetches, even if tokens name unknown keys: anyone can send such tokens."""

MAX_AGE_SECONDS: Final = 86_400.0
"""Age of the keys at which they are dropped, even if their issuer is down."""

Withdrawn = Callable[[frozenset[PublicKey]], None]
"""Called with the keys that an issuer has withdrawn."""


def _ignore(_: frozenset[PublicKey]) -> None:
    """Do nothing: no verified tokens are cached."""


class IssuerKeys:
    """The keys of one issuer.

    `withdrawn` is called with keys that the issuer has removed from its set: tokens that were
    verified by them are not valid any more.
    """

    def __init__(
        self,
        issuer: Issuer,
        services: Mapping[type[Upstream], Upstream],
        spawn: Spawn,
        *,
        clock: Clock,
        withdrawn: Withdrawn = _ignore,
    ) -> None:
        self._path = issuer.keys
        self._service = services[document_service(issuer.upstream)]
        self._clock = clock
        self._withdrawn = withdrawn
        self._published = frozenset[PublicKey]()
        self._keys = Refreshed(
            self._fetch,
            clock=clock,
            spawn=spawn,
            errors=(UpstreamError, ProviderUnavailable, ValueError),
            pause=FETCH_INTERVAL_SECONDS,
            interval=FETCH_INTERVAL_SECONDS,
        )

    @property
    def trusted_until(self) -> float:
        """Until when a token that a key has verified is accepted without another `find`."""
        return self._keys.trusted_until

    async def find(self, token: Unverified) -> PublicKey | None:
        """Return the key for a token; None if its issuer has none. May fetch the keys.

        Raises `ProviderUnavailable` if no keys
        are known and none can be fetched.
        """
        keys = await self._keys.get()
        key = key_for(token, keys or ())
        if key is None:
            keys = await self._keys.refresh()
            key = key_for(token, keys or ())
        if not keys:
            raise ProviderUnavailable("no keys") from self._keys.failure
        return key

    async def _fetch(self) -> Fetched[tuple[PublicKey, ...]]:
        reply = await self._service.request(
            "GET", self._path, headers={"accept": "application/json"}
        )
        if reply.status != 200:
            raise ProviderUnavailable(f"keys {answered(reply)}")
        keys = keys_of(without_bom(reply.content))
        published = frozenset(keys)
        gone, self._published = self._published - published, published
        if gone:
            self._withdrawn(gone)
        now = self._clock()
        return Fetched(keys, now + REFRESH_SECONDS, now + FRESH_SECONDS, now + MAX_AGE_SECONDS)
