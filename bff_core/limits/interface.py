"""What a store of limits does: looks where a caller stands, and takes what a request costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bff_core.policy.edge.rate_limits import Limit, LimitStatus


@dataclass(frozen=True, slots=True)
class LimitQuery:
    """A limit that a request counts against, and the caller it counts for."""

    limit: Limit
    caller: str

    @property
    def key(self) -> str:
        """The name under which the caller's state is stored."""
        return f"{self.limit.name}:{self.caller}"


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """Whether a request is let in, and where its caller stands with each limit then."""

    is_admitted: bool
    statuses: Sequence[LimitStatus]

    @property
    def wait(self) -> float:
        """In how many seconds all limits let the caller in again."""
        return max(status.retry_after for status in self.statuses)


class LimitStore(Protocol):
    """Stores the state of each caller."""

    async def admit(self, queries: Sequence[LimitQuery]) -> LimitVerdict:
        """Take one request from each limit, or nothing where one of them refuses.

        A limit of calls only has to have something left.
        """
        ...

    async def charge(self, queries: Sequence[LimitQuery], cost: int) -> None:
        """Take what an answer cost from each limit, also beyond what is left."""
