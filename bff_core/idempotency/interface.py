"""The interface of a store of answers: one request at a time claims a key, and stores its end."""

from dataclasses import dataclass
from typing import Protocol

from bff_core.policy.edge.idempotency import StoredAnswer


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """The right to run the request of a key; its holder stores an answer or frees the key."""

    key: str
    print: bytes
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Another request of this key has not ended."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key came with another request before."""


RUNNING = Running()
REUSED = Reused()

Found = Claim | StoredAnswer | Running | Reused


class IdempotencyStore(Protocol):
    """Stores answers by key.

    `print` distinguishes the requests of one key. Methods that reach a network raise
    `StoreUnavailable`.
    """

    async def claim(self, key: str, print: bytes, /) -> Found:  # noqa: A002 # the field's name
        """Return the claim of a key that is free, or what became of it."""
        ...

    async def save(self, claim: Claim, answer: StoredAnswer, /) -> None:
        """Keep the final answer for the key's lifetime, and let go of the claim.

        It is done even if the caller is cancelled meanwhile; that it could not be done is an event
        and no error, since the request itself has succeeded.
        """
        ...

    def release(self, claim: Claim, /, *, forget: bool = False) -> None:
        """Let go of the claim, so that the request can be tried again, now or as soon as possible.

        With `forget` the key may be used for any other request, too.
        """
        ...

    async def wait_for_change(self, key: str, timeout: float, /) -> None:  # noqa: ASYNC109 # a store may poll
        """Return when the request that holds the key may have ended; after `timeout` seconds."""
        ...
