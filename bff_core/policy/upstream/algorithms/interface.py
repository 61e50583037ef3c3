"""The interface of balancing algorithms, and what they know of an endpoint."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from bff_core.clock import Chance


class Candidate(Protocol):
    """An endpoint that may take a call.

    `share` is its weight, less while it starts slowly, and above 0. `in_flight` are its calls now.
    `seed` is a number made of its address, the same in all processes. `turn` is for round robin.
    """

    in_flight: int
    share: float
    seed: int
    turn: float


C = TypeVar("C", bound=Candidate)

Pick = Callable[[Chance, bytes], C | None]
"""Chooses an endpoint for a call; the key is empty for a call that has none."""


class Algorithm(Protocol):
    """Makes the choice among some endpoints; it is made again when they or their shares change."""

    def among(self, members: Sequence[C], /) -> Pick[C]:
        """Return a function that chooses one of the endpoints; None if there are none."""
        ...


def of_few(members: Sequence[C]) -> Pick[C]:
    """Return the choice among less than two endpoints."""
    only = members[0] if members else None
    return lambda _chance, _key: only


def are_even(members: Sequence[Candidate]) -> bool:
    """Whether all endpoints have the same share."""
    return len({member.share for member in members}) < 2
