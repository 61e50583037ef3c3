"""`Runtime`: what the layers of one upstream share while the gateway runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Headers
from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.policy.upstream.credentials import Credentials
from bff_core.policy.upstream.retry import RetryBudget
from bff_core.upstream.call_timer import CallTimers
from bff_core.upstream.state import CredentialState
from bff_core.upstream.user_agent import user_agent

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]
"""Starts work that outlives the request that caused it."""


class Credential(Protocol):
    """Authenticates calls to one upstream by header fields; its `repr` holds no secret.

    Waiting for fields raises `CredentialsUnavailable`, or what a `ViewerToken` raises.
    """

    @property
    def names(self) -> frozenset[bytes]:
        """The names of the fields that it sets, in lower case."""
        ...

    def headers(self, call: Call, /) -> Headers | Awaitable[Headers]:
        """Return the fields for a call, or an awaitable of them; empty for an anonymous call."""
        ...

    async def replaced(self, call: Call, refused: Headers, /) -> Headers | None:
        """Return other fields in place of those that the service refused; None without others."""
        ...


@runtime_checkable
class HasTokens(Protocol):
    """Credentials with tokens that a provider issues."""

    def state(self) -> CredentialState:
        """Return what operators see: the age of a token, never the token."""
        ...


OpenCredential = Callable[[Credentials, "Runtime", Sequence[str]], Credential]
"""Makes the `Credential` for a policy's options and an upstream's addresses.

Raises `ConfigurationError`.
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every layer is built with, inside the running event loop.

    `spawn` starts background work: it outlives the request that caused it, and is cancelled when
    the gateway closes. `budget` limits the attempts beyond the first, of retries and of hedges; it
    is None if the policy sends nothing twice. `cache` is the gateway's, None if it has none.
    `credential` makes the credentials of calls. `agent` is the User-Agent of calls that do not set
    one. `is_graphql` is whether the upstream is a `GraphQLUpstream`. `signing_secrets` sign the
    values of affinity, the newest first; `wall` is Unix time. `timers` run the timeouts of
    all layers; each copy of a runtime has its own.
    """

    upstream: str
    loop: asyncio.AbstractEventLoop
    clock: Clock
    chance: Chance
    events: Events
    spawn: Spawn
    budget: RetryBudget | None = None
    cache: ResponseCache | None = None
    credential: OpenCredential | None = None
    agent: str = field(default_factory=user_agent)
    is_graphql: bool = False
    signing_secrets: Sequence[str] = ()
    wall: Clock = time.time
    timers: CallTimers = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timers", CallTimers(self.loop, self.clock))
