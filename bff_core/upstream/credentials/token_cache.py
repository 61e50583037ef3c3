"""Cached access tokens: how long one is used, and when it is replaced."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from bff_core.call import Call
from bff_core.errors import CredentialsUnavailable, OAuthError, ProviderUnavailable
from bff_core.events import TokenRefused
from bff_core.refreshed_value import Fetched, Refreshed
from bff_core.upstream.credentials.token_source import IssuedToken
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import CredentialState

REFRESH_SHARE: Final = 0.8
"""The share of its lifetime after which a token is replaced early, less up to a tenth by chance."""

PAUSE_SECONDS: Final = 2.0
"""Pause after a token request that failed."""

MIN_AGE_SECONDS: Final = 10.0
"""Age of a token from which on it is replaced if a service refuses it."""

MARGIN_SECONDS: Final = 5.0
"""Seconds (or a tenth of its lifetime) before its end from which on a token is not used."""


class TokenCache:
    """One access token, requested once for all callers.

    While the provider is down the last token is used as long as it is valid. `ready` returns the
    token if there is a valid one, and requests another in the background if that is due. `provider`
    is the upstream of the provider, `operation` the name of the request in events.
    """

    __slots__ = ("_provider", "_tokens", "ready")

    def __init__(
        self,
        request: Callable[[], Awaitable[IssuedToken]],
        runtime: Runtime,
        *,
        provider: str,
        operation: str,
        is_early: bool = True,
    ) -> None:
        self._provider = provider
        names = (provider, operation)
        self._tokens = Refreshed(
            partial(_fetch, request, runtime, names, is_early=is_early),
            clock=runtime.clock,
            spawn=runtime.spawn,
            pause=PAUSE_SECONDS,
            interval=MIN_AGE_SECONDS,
        )
        self.ready: Final = self._tokens.ready  # without a frame of its own: once per call

    @property
    def reason(self) -> str:
        """Why the last request failed; empty after a success."""
        failure = self._tokens.failure
        return failure.reason if isinstance(failure, OAuthError) else ""

    def state(self, kind: str) -> CredentialState:
        """Return what operators see of it: never the token."""
        tokens = self._tokens
        count = 0 if tokens.current is None else 1
        return CredentialState(kind, tokens.age, tokens.expires_in, count, self.reason)

    async def get(self, call: Call) -> str:
        """Return a token, after a request if one is needed; raises `CredentialsUnavailable`."""
        token = await self._tokens.get()
        if token is None:
            message = f"no token of {self._provider}: {self.reason}"
            failure = self._tokens.failure
            raise CredentialsUnavailable(message, call=call, retry_after=PAUSE_SECONDS) from failure
        return token

    async def replaced(self, refused: str) -> str | None:
        """Return another token than the one that a service refused; None if there is none.

        A token that was requested a moment ago is not replaced: the service would refuse the next
        one as well.
        """
        token = self._tokens.current
        if token is None or token == refused:
            token = await self._tokens.refresh()
        return None if token == refused else token


async def _fetch(
    request: Callable[[], Awaitable[IssuedToken]],
    runtime: Runtime,
    names: tuple[str, str],
    *,
    is_early: bool,
) -> Fetched[str]:
    started_at = runtime.clock()
    try:
        token = await request()
        # The time that the request took is part of the token's lifetime.
        ends_at = started_at + token.lifetime - min(MARGIN_SECONDS, 0.1 * token.lifetime)
        if ends_at <= runtime.clock():
            raise ProviderUnavailable("expired")
    except OAuthError as error:
        reason = error.reason
        if runtime.events.sinks:
            runtime.events.emit(TokenRefused(*names, reason))
    else:
        share = REFRESH_SHARE - 0.1 * runtime.chance()
        refresh_at = started_at + share * token.lifetime if is_early else ends_at
        return Fetched(token.value, refresh_at, ends_at, ends_at)
    # Without the call and its reply: a failure is stored for each viewer.
    raise ProviderUnavailable(reason)
