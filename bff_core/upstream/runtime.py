"""What the layers of one upstream share while the gateway runs: loop, clock, events, timer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Headers
from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.policy.upstream.credentials import Credentials
from bff_core.policy.upstream.retry import RetryBudget
from bff_core.upstream.call_timer import CallTimers
from bff_core.upstream.user_agent import user_agent

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]
"""Starts work that outlives the request that caused it."""


class Credential(Protocol):
    """Authenticates calls to one upstream by header fields; its `repr` holds no secret.

    `fetched` is called where `ready` returns None, `replaced` where the service refused the fields.
    Both raise `CredentialsUnavailable`, or what a `ViewerToken` raises.
    """

    @property
    def names(self) -> frozenset[bytes]:
        """The fields that it sets, in lower case."""
        ...

    def ready(self, call: Call, /) -> Headers | None:
        """Return the fields for a call, none where it goes without; None where it has to wait."""
        ...

    async def fetched(self, call: Call, /) -> Headers:
        """Return them after a wait."""
        ...

    async def replaced(self, call: Call, refused: Headers, /) -> Headers | None:
        """Return others in place of the refused ones; None where there are none."""
        ...


OpenCredential = Callable[[Credentials, "Runtime", Sequence[str]], Credential]
"""Makes the `Credential` for a policy's options and an upstream's addresses.

Raises `ConfigurationError`.
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every layer is built with, inside the running loop.

    `spawn` starts background work that the gateway owns: it is cancelled when the gateway closes,
    and outlives the request that caused it. `budget` bounds the attempts beyond the first, those of
    retries and of hedges; None where the policy sends nothing twice. `cache` is the gateway's, None
    where it has none. `credential` makes the credentials of calls. `agent` is the
    User-Agent of calls that have none of their own. `timers` is the one timer behind the timeouts
    of all layers; each copy has its own.
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
    timers: CallTimers = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timers", CallTimers(self.loop, self.clock))
