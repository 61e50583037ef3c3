"""The interface of rate-limit stores: admit a request, and charge what its answer cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bff_core.policy.edge.rate_limits import Limit, LimitStatus


@dataclass(frozen=True, slots=True)
class LimitQuery:
    """A limit that applies to a request, and the caller who is charged."""

    limit: Limit
    caller: str

    @property
    def key(self) -> str:
        """The name under which the caller's state is stored."""
        return f"{self.limit.name}:{self.caller}"


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """Whether a request is admitted, and what its caller has left of each limit."""

    is_admitted: bool
    statuses: Sequence[LimitStatus]

    @property
    def retry_after(self) -> float:
        """The seconds after which all limits admit the caller again."""
        return max(status.retry_after for status in self.statuses)


class LimitStore(Protocol):
    """Stores the state of each caller."""

    async def admit(self, queries: Sequence[LimitQuery]) -> LimitVerdict:
        """Charge one request to each limit, or to none if one of them refuses.

        A limit with another cost than requests is not charged yet: it only has to have some left.
        """
        ...

    async def charge(self, queries: Sequence[LimitQuery], cost: int) -> None:
        """Charge the cost of an answer to each limit, even if less than that is left."""
