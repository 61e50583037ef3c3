"""The keys of one issuer: fetched through an upstream, kept while it is down, seldom asked for."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from bff_core.auth.issuer import Issuer
from bff_core.auth.jwt import PublicKey, Unverified, key_for, keys_of
from bff_core.clock import Clock
from bff_core.errors import UpstreamError, answered
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable, provider, unmarked
from bff_core.upstream.runtime import Spawn

FRESH: Final = 300.0
"""Seconds after which keys are not used without asking their issuer again."""

EARLY: Final = 240.0
"""Seconds after which keys are fetched behind a request, so that busy gateways never wait."""

SELDOM: Final = 30.0
"""Seconds between two fetches, whatever keys tokens name: anybody can name one."""

STILL_DOWN: Final = 2 * SELDOM
"""Seconds after a fetch failed for which its issuer is taken for down, and not waited for."""

LAST_GOOD: Final = 86_400.0
"""Seconds for which keys are believed while their issuer is down."""

Withdrawn = Callable[[frozenset[PublicKey]], None]
"""Called with the keys that an issuer has withdrawn."""


def _ignore(_: frozenset[PublicKey]) -> None:
    """Do nothing: no tokens are remembered."""


class SigningKeys:
    """Knows the keys of an issuer; one fetch at a time, however many requests wait.

    `withdrawn` is called with keys that are gone from the issuer's set: tokens that were verified
    by them are not valid any more.
    """

    def __init__(self, issuer: Issuer, clock: Clock, *, withdrawn: Withdrawn = _ignore) -> None:
        self.kind = provider(issuer.upstream)
        self.path = issuer.keys
        self._clock = clock
        self._withdrawn = withdrawn
        self._service: Upstream | None = None
        self._spawn: Spawn | None = None
        self._known: tuple[PublicKey, ...] = ()
        self._fetched_at = self._tried_at = self._failed_at = -LAST_GOOD
        self._fetching: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs; fetches are its tasks."""
        self._service = services[self.kind]
        self._spawn = spawn

    @property
    def trusted_until(self) -> float:
        """Until when what a key has verified is believed without looking at the keys again."""
        return max(self._fetched_at + FRESH, self._failed_at + SELDOM)

    async def find(self, token: Unverified) -> PublicKey | None:
        """Return the key for a token; None where its issuer has none.

        Keys past their time are fetched first, unless their issuer is down: a key that it has
        withdrawn is believed for `FRESH` seconds at most. One fetch ends within the deadline of the
        upstream. Raises `ProviderUnavailable` where no keys are known and none can be fetched.
        """
        now = self._clock()
        key = key_for(token, self._usable())
        if self._may_fetch(now) and (key is None or now - self._fetched_at > EARLY):
            fetching = self._fetch()
            if key is None or self._has_to_wait(now):
                await asyncio.shield(fetching)  # who leaves does not end it for the others
                key = key_for(token, self._usable())
        if key is None and not self._usable():
            raise ProviderUnavailable("no keys") from self._failure
        return key

    def _may_fetch(self, now: float) -> bool:
        """Whether a fetch is under way, or may begin: seldom, and once when keys are past time."""
        ends = self._fetched_at + FRESH
        return (
            self._fetching is not None
            or now - self._tried_at > SELDOM
            or self._tried_at <= ends < now
        )

    def _has_to_wait(self, now: float) -> bool:
        """Whether keys are past their time, and their issuer was not found to be down since."""
        ends = self._fetched_at + FRESH
        is_down = self._failed_at > ends and now - self._failed_at <= STILL_DOWN
        return now > ends and not is_down

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
        keys = await self._published()
        if keys is None:
            self._failed_at = self._clock()
            return
        gone = frozenset(self._known) - frozenset(keys)
        self._known, self._fetched_at = keys, self._clock()
        if gone:
            self._withdrawn(gone)

    async def _published(self) -> tuple[PublicKey, ...] | None:
        """Return the keys as their issuer publishes them now; None where it does not answer."""
        if self._service is None:
            return None
        try:
            reply = await self._service.request(
                "GET", self.path, headers={"accept": "application/json"}
            )
            if reply.status == 200:
                return keys_of(unmarked(reply.body))
            self._failure = ProviderUnavailable(f"keys {answered(reply)}")
        except (UpstreamError, ValueError) as error:
            self._failure = error
        return None
