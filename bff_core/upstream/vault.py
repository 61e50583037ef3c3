"""What makes the headers that a call proves itself with, and what it is made of."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Protocol

from bff_core.call import Call, Headers, Reply
from bff_core.errors import NotSent

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]
"""Starts work that outlives the request that caused it."""

FindSecret = Callable[[str], str]
"""Returns the secret of a name; raises `ConfigurationError` where there is none."""


class Service(Protocol):
    """The client of an identity provider, as far as tokens go."""

    async def request(
        self, method: str, path: str, /, *, body: bytes = b"", headers: Mapping[str, str] | None
    ) -> Reply:
        """Send a request, whatever its answer."""
        ...


FindService = Callable[[str], Service]
"""Returns the service client of an identity provider, by name."""


class CredentialsUnavailable(NotSent):
    """What a call has to prove itself with can't be had just now; the service was not asked."""

    code = "credentials_unavailable"
    retry_after = 5.0


@dataclass(frozen=True, slots=True)
class Vault:
    """Where secrets are, the services that give tokens, and what starts work of its own."""

    secret: FindSecret
    service: FindService
    spawn: Spawn


class Source(Protocol):
    """Makes the headers of calls to one service."""

    async def headers(self, call: Call, /) -> Headers:
        """Return what the call is sent with; nothing where there is nothing to prove."""
        ...

    async def renewed(self, call: Call, refused: Headers, /) -> Headers | None:
        """Return other headers than those that a service refused; None where there are none."""
        ...
