"""The keys of one issuer: fetched through an upstream, kept while it is down, seldom asked for."""

import asyncio
from collections.abc import Mapping
from typing import Final

from bff_core.auth.issuer import Issuer
from bff_core.auth.jwt import PublicKey, Unverified, key_for, keys_of
from bff_core.clock import Clock
from bff_core.errors import UpstreamError
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable, provider
from bff_core.upstream.runtime import Spawn

FRESH: Final = 300.0
"""Seconds after which keys are fetched again: a key that was withdrawn is believed no longer."""

SELDOM: Final = 30.0
"""Seconds between two fetches, whatever keys tokens name: anybody can name one."""

LAST_GOOD: Final = 86_400.0
"""Seconds for which keys are believed while their issuer is down."""


class Keys:
    """Knows the keys of an issuer; one fetch at a time, whoever waits."""

    def __init__(self, issuer: Issuer, clock: Clock) -> None:
        self.kind = provider(issuer.upstream)
        self.path = issuer.keys
        self._clock = clock
        self._service: Upstream | None = None
        self._spawn: Spawn | None = None
        self._known: tuple[PublicKey, ...] = ()
        self._fetched_at = self._tried_at = -LAST_GOOD
        self._fetching: asyncio.Task[None] | None = None

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs; fetches are its tasks."""
        self._service = services[self.kind]
        self._spawn = spawn

    async def find(self, token: Unverified) -> PublicKey | None:
        """Return the key for a token; None where its issuer has none.

        A key that is known is not waited for: others are fetched in the background when it is time.
        Raises `ProviderUnavailable` where no keys are known and none can be had.
        """
        key = key_for(token, self._usable())
        now = self._clock()
        is_due = key is None or now - self._fetched_at > FRESH
        if is_due and (self._fetching is not None or now - self._tried_at > SELDOM):
            fetching = self._fetch()
            if key is None:
                await asyncio.shield(fetching)  # who leaves does not end it for the others
                key = key_for(token, self._usable())
        if key is None and not self._usable():
            raise ProviderUnavailable("no keys")
        return key

    def _usable(self) -> tuple[PublicKey, ...]:
        return self._known if self._clock() - self._fetched_at <= LAST_GOOD else ()

    def _fetch(self) -> asyncio.Task[None]:
        """Return the fetch that is under way, or begin one."""
        if self._fetching is None:
            assert self._spawn is not None, "keys are fetched while the gateway runs"  # noqa: S101 # for the type checker
            self._tried_at = self._clock()
            self._fetching = self._spawn(self._refresh())
            self._fetching.add_done_callback(self._landed)
        return self._fetching

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _refresh(self) -> None:
        if self._service is None:
            return
        try:
            reply = await self._service.request(
                "GET", self.path, headers={"accept": "application/json"}
            )
            keys = keys_of(reply.body) if reply.status == 200 else ()
        except (UpstreamError, ValueError):
            return
        if keys:
            self._known, self._fetched_at = keys, self._clock()
