"""`Member`: the state of one endpoint, which the decisions of balancing read and change."""

import math
from typing import Final, Generic, Literal, TypeVar

from bff_core.policy.upstream.algorithms.rendezvous import hash_of

Key = TypeVar("Key")
Target = TypeVar("Target")

Health = Literal["", "unknown", "up", "down"]
"""The outcome of active probes: "" without a health check, "unknown" before the first probe."""

LEAST_SHARE: Final = 0.1
"""The part of its weight with which an endpoint starts slowly: it must get some calls."""


class Member(Generic[Key, Target]):
    """The state of one endpoint: its target, weight, load and failures.

    It is ejected until `ejected_until`, and then probed: it gets one call at a time until one
    succeeds. `is_forced` is whether an operator ejected it. While it `is_awaited`, it gets no calls
    before its first good probe. `share` is its weight, less while it starts slowly from
    `warm_from` on. `seed` and `turn` are for algorithms.
    """

    __slots__ = (
        "ejected_until",
        "failures",
        "health",
        "in_flight",
        "is_awaited",
        "is_forced",
        "is_gone",
        "key",
        "priority",
        "probes",
        "repeats",
        "restored_at",
        "seed",
        "share",
        "target",
        "turn",
        "warm_from",
        "weight",
        "zone",
    )

    def __init__(self, key: Key, target: Target, name: str = "") -> None:
        self.key = key
        self.target = target
        self.in_flight = 0
        self.failures = 0
        self.repeats = 0
        self.restored_at = 0.0
        self.ejected_until: float | None = None
        self.is_forced = False
        self.is_gone = False
        self.weight = 1
        self.priority = 0
        self.zone = ""
        self.share = 1.0
        self.turn = 0.0
        self.seed = hash_of((name or str(key)).encode())
        self.health: Health = ""
        self.probes = 0
        self.is_awaited = False
        self.warm_from = -math.inf

    @property
    def is_out(self) -> bool:
        """Whether it is ejected, probed by calls, or down by active probes."""
        return self.ejected_until is not None or self.health == "down"

    def is_warming(self, slow_start: float, now: float) -> bool:
        """Whether it starts slowly now."""
        return now - self.warm_from < slow_start

    def set_share(self, slow_start: float, now: float) -> None:
        """Set its share of the calls: its weight, or the part of it that it has grown to."""
        part = 1.0
        if self.is_warming(slow_start, now):
            part = max(LEAST_SHARE, (now - self.warm_from) / slow_start)
        self.share = self.weight * part
