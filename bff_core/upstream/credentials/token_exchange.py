"""A viewer's token, exchanged for one that is meant for a single service (RFC 8693)."""

from collections.abc import Awaitable
from functools import partial
from hashlib import sha256
from typing import Final

from cachetools import LRUCache

from bff_core.call import Call, Headers, ViewerToken
from bff_core.errors import CredentialsUnavailable
from bff_core.policy.upstream.credentials import TokenExchange
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in
from bff_core.upstream.credentials.relay import viewer_token
from bff_core.upstream.credentials.token_cache import TokenCache
from bff_core.upstream.credentials.token_source import TokenSource
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import CredentialState

MAX_CACHED_TOKENS: Final = 10_000
"""Exchanged tokens that are cached; beyond that the least recently used one is dropped."""

SUBJECT_ERRORS: Final = frozenset({
    "invalid_request", "invalid_grant", "invalid_token", "expired_token",
})  # fmt: skip
"""Errors of a provider that does not accept the viewer's token (RFC 8693, section 2.2.2)."""

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 # a type
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"


class ExchangedToken:
    """Adds the token that the provider issued in exchange for the viewer's; caches it by a hash."""

    __slots__ = ("_options", "_runtime", "_source", "_tokens", "names")

    def __init__(self, options: TokenExchange, source: TokenSource, runtime: Runtime) -> None:
        self.names = AUTHORIZATION
        self._options = options
        self._source = source
        self._runtime = runtime
        self._tokens: LRUCache[bytes, TokenCache] = LRUCache(MAX_CACHED_TOKENS)

    def __repr__(self) -> str:
        return f"the viewer's token for {self._options.audience}"

    def state(self) -> CredentialState:
        """Return what operators see: each viewer has a token, so there is no single age."""
        return CredentialState(repr(self), tokens=len(self._tokens))

    def headers(self, call: Call) -> Headers | Awaitable[Headers]:
        """Return the header with the exchanged token; nothing for an anonymous call."""
        token = viewer_token(call)
        return () if token is None else self._exchanged(token, call)

    async def _exchanged(self, token: ViewerToken, call: Call) -> Headers:
        """Return the header; renew the viewer's token once if the provider does not accept it."""
        subject = await token.current()
        tokens = self._tokens_of(subject)
        try:
            return bearer(await tokens.get(call))
        except CredentialsUnavailable:
            if tokens.reason not in SUBJECT_ERRORS:
                raise
            newer = await _renewed(token, subject)
            if newer is None:
                raise
        return bearer(await self._tokens_of(newer).get(call))

    async def replaced(self, call: Call, refused: Headers) -> Headers | None:
        """Return another one: in exchange for the viewer's token, or else for a renewed one."""
        token = viewer_token(call)
        if token is None:
            return None
        subject = await token.current()
        other = await self._tokens_of(subject).replaced(token_in(refused))
        if other is not None:
            return bearer(other)
        newer = await _renewed(token, subject)
        return None if newer is None else bearer(await self._tokens_of(newer).get(call))

    def _tokens_of(self, subject: str) -> TokenCache:
        digest = sha256(subject.encode()).digest()
        tokens = self._tokens.get(digest)
        if tokens is None:
            tokens = self._tokens[digest] = TokenCache(
                partial(self._source.fetch, self._form(subject), issued=(ACCESS_TOKEN, JWT)),
                self._runtime,
                provider=self._options.upstream,
                operation=self._source.operation,
                is_early=False,
            )
        return tokens

    def _form(self, subject: str) -> tuple[tuple[str, str], ...]:
        return (
            ("grant_type", GRANT),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", self._options.audience),
            ("scope", " ".join(self._options.scope)),
        )


async def _renewed(token: ViewerToken, subject: str) -> str | None:
    """Return a newer token of the viewer; None if there is no other."""
    newer = await token.renewed(subject)
    return None if newer == subject else newer
