"""What goes wrong, and when: drawn from the seed before anything runs."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.chaos.call_counts import Ledger
from tests.processes.services import Service

Deed = Literal["fault", "freeze", "kill"]

MIB = 1024 * 1024
SECONDS = (0.3, 3.0)
"""How long one trouble lasts, at least and at most."""

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
    # in HTTP/1.1 tells it from the answer to that; see docs/concepts/reliability.md.
    lambda _: {"kind": "surplus", "delay": 0.0},
    lambda _: {"kind": "oversized", "bytes": 10 * MIB},
    lambda _: {"kind": "gzip_bomb", "decoded_bytes": 32 * MIB},
)

FLAVOURS = ("syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty")
HEAVY = {"oversized", "gzip_bomb"}
"""What costs the service itself so much that it is to strike seldom."""


REMEMBERING = {"payments", "orders", "inventory", "cart"}
"""Services whose only copy of purchases and carts is in memory: they are not killed."""

UNFAULTED = {"redis"}
"""What commits no faults of its own."""


def slow(dice: random.Random, median: float) -> dict[str, object]:
    """Return latencies as real ones are."""
    shape = {"name": "lognormal", "median": median, "sigma": 1.0}
    return {"kind": "latency", "distribution": shape, "at_most": 5.0, "seed": dice.getrandbits(16)}


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong: `at` seconds after the storm began, for `seconds`."""

    at: float
    seconds: float
    service: str
    deed: Deed
    fault: Mapping[str, object]

    def __str__(self) -> str:
        what = self.fault.get("kind", self.deed)
        return f"{self.at:6.2f} s  {self.service:<16} {what} for {self.seconds:.2f} s"


def forecast(seed: int, services: tuple[str, ...], lasts: float) -> list[Trouble]:
    """Return what goes wrong in a storm of `lasts` seconds; the same for the same seed.

    A service has one trouble at a time, and most of them are well at any moment.
    """
    dice = random.Random(seed)
    troubles, at, free = [], 0.0, dict.fromkeys(services, 0.0)
    while at < lasts:
        ready = [name for name in services if free[name] <= at]
        if len(services) - len(ready) < 4:
            name = dice.choice(ready)
            trouble = _draw(dice, at, name, lasts)
            free[name] = at + trouble.seconds + 0.2
            troubles.append(trouble)
        at += dice.expovariate(2.0)
    return troubles


def _draw(dice: random.Random, at: float, name: str, lasts: float) -> Trouble:
    seconds = min(dice.uniform(*SECONDS), max(0.1, lasts - at))
    deed: Deed = dice.choices(("fault", "freeze", "kill"), (8, 1, 1))[0]
    if name in UNFAULTED and deed == "fault":
        deed = dice.choice(("freeze", "kill"))
    if name in REMEMBERING and deed == "kill":
        deed = "freeze"
    if deed != "fault":
        return Trouble(at, seconds, name, deed, {})
    fault = dice.choice(KINDS)(dice)
    rate = 0.02 if fault["kind"] in HEAVY else dice.choice((0.1, 0.5, 1.0))
    return Trouble(at, seconds, name, deed, {**fault, "rate": rate, "seed": dice.getrandbits(16)})


class Victim(Protocol):
    """What can be frozen and killed."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def kill(self) -> None: ...

    def restart(self) -> None: ...


class Shared(Victim, Protocol):
    """What the gateways share, at a port."""

    @property
    def port(self) -> int: ...


class Storm:
    """Lets troubles happen to services, and leaves all of them well."""

    def __init__(self, services: Mapping[str, Victim], ledger: Ledger) -> None:
        self._services = services
        self._ledger = ledger
        self.under_way: set[str] = set()

    async def rage(self, troubles: list[Trouble]) -> None:
        """Let them happen when they are due; return when the last one is over."""
        await asyncio.gather(*(self._happen(trouble) for trouble in troubles))

    async def _happen(self, trouble: Trouble) -> None:
        await asyncio.sleep(trouble.at)
        service, name = self._services[trouble.service], str(trouble)
        self.under_way.add(name)
        begin, end = self._deeds(trouble, service)
        try:
            await asyncio.to_thread(begin)
            await asyncio.sleep(trouble.seconds)
        finally:
            await asyncio.to_thread(end)
            self.under_way.discard(name)

    def _deeds(self, trouble: Trouble, victim: Victim) -> tuple[Callable[[], None], ...]:
        if trouble.deed == "freeze":
            return victim.freeze, victim.thaw
        if isinstance(victim, Service) and trouble.deed == "fault":
            return lambda: victim.break_by(trouble.fault), victim.heal
        return lambda: self._kill(victim), victim.restart

    def _kill(self, victim: Victim) -> None:
        if isinstance(victim, Service):
            self._ledger.note(victim)  # its counters die with it
        victim.kill()
