"""A viewer's token, exchanged for one that is meant for a single service (RFC 8693)."""

from collections import OrderedDict
from functools import partial
from hashlib import sha256
from typing import Final

from bff_core.call import Call, Headers, ViewerToken
from bff_core.policy.upstream.credentials import TokenExchange
from bff_core.upstream.credentials.client_credentials import unavailable
from bff_core.upstream.credentials.provider import (
    ABOUT_THE_SUBJECT,
    NoToken,
    Token,
    TokenEndpoint,
)
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in
from bff_core.upstream.credentials.relay import viewers
from bff_core.upstream.credentials.token_cache import TokenCache
from bff_core.upstream.runtime import Runtime

MOST: Final = 10_000
"""Viewers' tokens whose exchange is remembered; beyond that the one used longest ago is not."""

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 # a type
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"


class ExchangedToken:
    """Shows each viewer's token as the provider has exchanged it; remembers by its hash."""

    __slots__ = ("_endpoint", "_kept", "_options", "_runtime", "names")

    def __init__(self, options: TokenExchange, endpoint: TokenEndpoint, runtime: Runtime) -> None:
        self.names = AUTHORIZATION
        self._options = options
        self._endpoint = endpoint
        self._runtime = runtime
        self._kept: OrderedDict[bytes, TokenCache] = OrderedDict()

    def __repr__(self) -> str:
        return f"the viewer's token for {self._options.audience}"

    def ready(self, call: Call) -> Headers | None:
        """Return nothing for nobody; a token is to be asked for."""
        return () if viewers(call) is None else None

    async def fetched(self, call: Call) -> Headers:
        """Return what the viewer's token is exchanged for."""
        token = viewers(call)
        if token is None:
            return ()
        try:
            return bearer(await self._exchange(token))
        except NoToken as refused:
            raise unavailable(self._options.upstream, refused, call) from refused

    async def replaced(self, call: Call, refused: Headers) -> Headers | None:
        """Return another: of the same viewer's token, or else of a newer one."""
        token = viewers(call)
        if token is None:
            return None
        subject = await token.current()
        other = await self._of(subject).replaced(token_in(refused))
        if other is not None:
            return bearer(other)
        newer = await token.renewed(subject)
        if newer is None or newer == subject:
            return None
        try:
            return bearer(await self._of(newer).get())
        except NoToken as failed:
            raise unavailable(self._options.upstream, failed, call) from failed

    async def _exchange(self, token: ViewerToken) -> str:
        """Exchange the viewer's token; one that the provider does not take, once renewed."""
        subject = await token.current()
        try:
            return await self._of(subject).get()
        except NoToken as refused:
            if refused.reason not in ABOUT_THE_SUBJECT:
                raise
            newer = await token.renewed(subject)
            if newer is None or newer == subject:
                raise
        return await self._of(newer).get()

    def _of(self, subject: str) -> TokenCache:
        digest = sha256(subject.encode()).digest()
        kept = self._kept.get(digest)
        if kept is not None:
            self._kept.move_to_end(digest)
            return kept
        told = (self._options.upstream, self._endpoint.operation)
        ask = partial(self._ask, subject)
        self._make_room()
        kept = self._kept[digest] = TokenCache(ask, self._runtime, told, is_early=False)
        return kept

    def _make_room(self) -> None:
        """Forget the one used longest ago where there are too many, and what is over before it."""
        while self._kept:
            digest, oldest = next(iter(self._kept.items()))
            if len(self._kept) < MOST and not oldest.is_over:
                return
            del self._kept[digest]

    async def _ask(self, subject: str) -> Token:
        options = self._options
        form = (
            ("grant_type", GRANT),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", options.audience),
            ("scope", " ".join(options.scope)),
        )
        return await self._endpoint.ask(form, issued=(ACCESS_TOKEN, JWT))
