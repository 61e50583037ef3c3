"""The interface of rate-limit stores: admit a request, and charge what its answer cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
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


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """What a caller has left of a limit."""

    limit: Limit
    caller: str
    status: LimitStatus

    @property
    def share(self) -> float:
        """The share of the limit that is left."""
        return self.status.remaining / self.limit.capacity


class LimitStore(Protocol):
    """Stores the state of each caller."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes have the same states."""
        ...

    async def admit(self, queries: Sequence[LimitQuery]) -> LimitVerdict:
        """Charge one request to each limit, or to none if one of them refuses.

        A limit with another cost than requests is not charged yet: it only has to have some left.
        """
        ...

    async def nearly_empty(
        self, limits: Sequence[Limit], share: float, count: int
    ) -> Sequence[CallerLeft]:
        """Return up to `count` callers with at most this share left, the emptiest first.

        If there are many callers, only some of them are examined.
        """
        ...

    async def charge(self, queries: Sequence[LimitQuery], cost: int) -> None:
        """Charge the cost of an answer to each limit, even if less than that is left."""


def emptiest(found: Iterable[CallerLeft], share: float, count: int) -> list[CallerLeft]:
    """Return the callers with at most this share left, the emptiest first."""
    return nsmallest(count, (one for one in found if one.share <= share), key=lambda one: one.share)
