"""The interface of idempotency stores: a request claims a key, then stores its final answer."""

from dataclasses import dataclass
from typing import Protocol

from bff_core.policy.edge.idempotency import StoredAnswer


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """The right to execute the request of a key, until its answer is saved or it is released."""

    key: str
    fingerprint: bytes
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Another request with this key is being executed."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key was used for a different request before."""


RUNNING = Running()
REUSED = Reused()

ClaimResult = Claim | StoredAnswer | Running | Reused


class IdempotencyStore(Protocol):
    """Stores final answers by key; `claim` and `wait_for_change` may raise `StoreUnavailable`."""

    async def claim(self, key: str, fingerprint: bytes, /) -> ClaimResult:
        """Claim a key for the request with a fingerprint; return its answer if there is one."""
        ...

    async def save(self, claim: Claim, answer: StoredAnswer, /) -> None:
        """Store a final answer for the key's lifetime, and release the claim.

        Continues if the caller is cancelled. A failure is reported as an event and raises nothing,
        since the request itself has succeeded.
        """
        ...

    def release(self, claim: Claim, /, *, forget: bool = False) -> None:
        """Release a claim without an answer, so that the request can be sent again.

        With `forget`, the key can be used for a different request too.
        """
        ...

    async def wait_for_change(self, key: str, timeout: float, /) -> None:  # noqa: ASYNC109 # a store may poll
        """Wait until the claim of a key may have been released, `timeout` seconds at most."""
        ...
