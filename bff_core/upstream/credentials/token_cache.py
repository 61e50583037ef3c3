"""One token while it is valid: asked for by one for all, early, and seldom where there is none."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final

from bff_core.events import TokenRefused
from bff_core.upstream.credentials.provider import NoToken, Token
from bff_core.upstream.runtime import Runtime

EARLY: Final = 0.8
"""The share of its lifetime after which another is asked for; less up to a tenth by chance."""

PAUSE: Final = 2.0
"""Seconds after a refusal in which the provider is not asked again."""

SELDOM: Final = 10.0
"""Seconds after which a token that a service refuses is worth replacing by another."""

MARGIN: Final = 5.0
"""Seconds (or a tenth of its lifetime) before its end from which on a token is not shown."""


class TokenCache:
    """A token, and how another is had. Who waits does so together, whoever asked first.

    While the provider is down the last token is used as long as it is valid.
    """

    __slots__ = (
        "_again_at",
        "_ask",
        "_ends_at",
        "_fetching",
        "_got_at",
        "_is_early",
        "_reason",
        "_refresh_at",
        "_runtime",
        "_told",
        "_value",
    )

    def __init__(
        self,
        ask: Callable[[], Awaitable[Token]],
        runtime: Runtime,
        told: tuple[str, str],
        *,
        is_early: bool = True,
    ) -> None:
        self._ends_at = -math.inf
        self._ask = ask
        self._runtime = runtime
        self._told = told
        self._is_early = is_early
        self._value: str | None = None
        self._reason = ""
        self._refresh_at = self._again_at = self._got_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is lost with it: no token, nobody who waits, no pause to be kept."""
        return self._fetching is None and self._runtime.clock() >= max(
            self._ends_at, self._again_at
        )

    def ready(self) -> str | None:
        """Return the token if it may be shown; another is asked for behind it when it is time."""
        now = self._runtime.clock()
        if now >= self._refresh_at and now >= self._again_at:
            self._fetch()
        return self._value if now < self._ends_at else None

    async def get(self) -> str:
        """Return the token, also after a wait; raise `NoToken`."""
        value = self.ready()
        if value is None and self._fetching is not None:
            await asyncio.shield(self._fetching)  # who leaves does not end it for the others
            value = self._value if self._runtime.clock() < self._ends_at else None
        if value is None:
            raise NoToken(self._reason)
        return value

    async def replaced(self, refused: str) -> str | None:
        """Return another than the one that a service refused; None where there is none.

        One that was given a moment ago is not replaced: what refuses that would refuse the next.
        """
        now = self._runtime.clock()
        if self._value == refused and now - self._got_at >= SELDOM and now >= self._again_at:
            self._fetch()
        if self._value == refused and self._fetching is not None:
            await asyncio.shield(self._fetching)
        return None if self._value == refused or now >= self._ends_at else self._value

    def _fetch(self) -> None:
        if self._fetching is None:
            self._fetching = self._runtime.spawn(self._refresh())
            self._fetching.add_done_callback(self._landed)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _refresh(self) -> None:
        runtime = self._runtime
        asked = runtime.clock()
        try:
            token = await self._ask()
        except NoToken as error:
            self._pause(error.reason)
            return
        # What it takes to bring the token here is part of its lifetime.
        self._value, self._got_at = token.value, runtime.clock()
        self._ends_at = asked + token.lifetime - min(MARGIN, 0.1 * token.lifetime)
        share = EARLY - 0.1 * runtime.chance()
        self._refresh_at = asked + share * token.lifetime if self._is_early else self._ends_at
        if self._ends_at <= self._got_at:  # it took longer to get here than it lives
            self._pause("expired")

    def _pause(self, reason: str) -> None:
        """Leave the provider alone for a moment: it gave no token that can be used."""
        self._reason = reason
        self._again_at = self._runtime.clock() + PAUSE
        if self._runtime.events.sinks:
            self._runtime.events.emit(TokenRefused(*self._told, reason))
