"""The performance budget: ratios of CPU per request within one session."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Budget:
    """The largest allowed, and the desired, ratio to a peer's CPU."""

    peer: str
    must: float
    goal: float
    ours: str = "bff"


BUDGETS = (
    Budget("fastify-undici", must=1.2, goal=0.9),
    Budget("go-net-http", must=0.8, goal=0.5),
    Budget("fastapi-httpx", must=1 / 20, goal=1 / 30),
    Budget("nginx-ssi", must=5.0, goal=3.5),
    Budget("starlette-hello", must=2.0, goal=1.3, ours="bff-view-cache"),
)

Verdict = Literal["goal met", "must met", "missed"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our CPU per request over a peer's."""

    budget: Budget
    value: float

    @property
    def verdict(self) -> Verdict:
        """The column of the budget that it meets."""
        if self.value <= self.budget.goal:
            return "goal met"
        return "must met" if self.value <= self.budget.must else "missed"


def ratios_of(cpu_us: Mapping[str, float]) -> Iterator[Ratio]:
    """Compare ours with each measured peer."""
    for budget in BUDGETS:
        if budget.ours in cpu_us and budget.peer in cpu_us:
            yield Ratio(budget, cpu_us[budget.ours] / cpu_us[budget.peer])
