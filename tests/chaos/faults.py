"""The failures of a run: drawn from the seed before anything runs, then injected."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.chaos.call_counts import CallCounts
from tests.processes.services import Service

Action = Literal["fault", "freeze", "kill"]

MIB = 1024 * 1024
SECONDS = (0.3, 3.0)
"""How long one failure lasts, at least and at most."""

KINDS: tuple[Callable[[random.Random], dict[str, object]], ...] = (
    lambda dice: slow(dice, median=0.05),
    lambda dice: slow(dice, median=0.6),
    lambda _: {"kind": "error", "status": 500},
    lambda _: {"kind": "unavailable", "retry_after": 1},
    lambda dice: {"kind": "garbage", "flavour": dice.choice(FLAVOURS)},
    lambda _: {"kind": "hang"},
    lambda _: {"kind": "hang_mid_body"},
    lambda _: {"kind": "drip", "size": 16, "interval": 0.05},
    lambda _: {"kind": "reset"},
    lambda _: {"kind": "reset", "fraction": 0.5},
    lambda _: {"kind": "truncated"},
    lambda dice: {"kind": "wrong_length", "delta": dice.choice((-3, 10))},
    # With a delay it would now and then arrive just after the next request was sent, and nothing
    # in HTTP/1.1 distinguishes it from the answer to that; see docs/concepts/reliability.md.
    lambda _: {"kind": "surplus", "delay": 0.0},
    lambda _: {"kind": "oversized", "bytes": 10 * MIB},
    lambda _: {"kind": "gzip_bomb", "decoded_bytes": 32 * MIB},
)

FLAVOURS = ("syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty")
HEAVY = {"oversized", "gzip_bomb"}
"""Faults that cost the service itself so much that they are rare."""


REMEMBERING = {"payments", "orders", "inventory", "cart"}
"""Services whose only copy of purchases and carts is in memory: they are not killed."""

UNFAULTED = {"redis"}
"""Processes without a fault API: they are only frozen or killed."""


def slow(dice: random.Random, median: float) -> dict[str, object]:
    """Return a fault with realistic latencies."""
    shape = {"name": "lognormal", "median": median, "sigma": 1.0}
    return {"kind": "latency", "distribution": shape, "at_most": 5.0, "seed": dice.getrandbits(16)}


@dataclass(frozen=True)
class Failure:
    """One failure: `at` seconds after the first, for `seconds`."""

    at: float
    seconds: float
    service: str
    action: Action
    fault: Mapping[str, object]

    def __str__(self) -> str:
        what = self.fault.get("kind", self.action)
        return f"{self.at:6.2f} s  {self.service:<16} {what} for {self.seconds:.2f} s"


def draw_failures(seed: int, services: tuple[str, ...], lasts: float) -> list[Failure]:
    """Return the failures of `lasts` seconds; the same for the same seed.

    A service has one failure at a time, and most of them work at any moment.
    """
    dice = random.Random(seed)
    failures, at, free = [], 0.0, dict.fromkeys(services, 0.0)
    while at < lasts:
        ready = [name for name in services if free[name] <= at]
        if len(services) - len(ready) < 4:
            name = dice.choice(ready)
            failure = _draw(dice, at, name, lasts)
            free[name] = at + failure.seconds + 0.2
            failures.append(failure)
        at += dice.expovariate(2.0)
    return failures


def _draw(dice: random.Random, at: float, name: str, lasts: float) -> Failure:
    seconds = min(dice.uniform(*SECONDS), max(0.1, lasts - at))
    action: Action = dice.choices(("fault", "freeze", "kill"), (8, 1, 1))[0]
    if name in UNFAULTED and action == "fault":
        action = dice.choice(("freeze", "kill"))
    if name in REMEMBERING and action == "kill":
        action = "freeze"
    if action != "fault":
        return Failure(at, seconds, name, action, {})
    fault = dice.choice(KINDS)(dice)
    rate = 0.02 if fault["kind"] in HEAVY else dice.choice((0.1, 0.5, 1.0))
    return Failure(at, seconds, name, action, {**fault, "rate": rate, "seed": dice.getrandbits(16)})


class Target(Protocol):
    """A process that can be frozen and killed."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def kill(self) -> None: ...

    def restart(self) -> None: ...


class Shared(Target, Protocol):
    """A store that the gateways share, at a port."""

    @property
    def port(self) -> int: ...


class FaultInjector:
    """Injects failures into services, and restores all of them."""

    def __init__(self, services: Mapping[str, Target], call_counts: CallCounts) -> None:
        self._services = services
        self._call_counts = call_counts
        self.under_way: set[str] = set()

    async def inject(self, failures: list[Failure]) -> None:
        """Inject each failure when it is due; return when the last one is over."""
        await asyncio.gather(*(self._happen(failure) for failure in failures))

    async def _happen(self, failure: Failure) -> None:
        await asyncio.sleep(failure.at)
        service, name = self._services[failure.service], str(failure)
        self.under_way.add(name)
        begin, end = self._actions(failure, service)
        try:
            await asyncio.to_thread(begin)
            await asyncio.sleep(failure.seconds)
        finally:
            await asyncio.to_thread(end)
            self.under_way.discard(name)

    def _actions(self, failure: Failure, target: Target) -> tuple[Callable[[], None], ...]:
        if failure.action == "freeze":
            return target.freeze, target.thaw
        if isinstance(target, Service) and failure.action == "fault":
            return lambda: target.break_by(failure.fault), target.heal
        return lambda: self._kill(target), target.restart

    def _kill(self, target: Target) -> None:
        if isinstance(target, Service):
            self._call_counts.note(target)  # its counters die with it
        target.kill()
