"""Runs rounds of a normal load, failures, recovery and silence, for as long as the plan says."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bff_core.redis.client import MAX_CONNECTIONS
from tests.chaos.call_counts import CallCounts
from tests.chaos.checks import Checker, Viewer
from tests.chaos.clients import Client, Stopwatch, goodput
from tests.chaos.faults import FaultInjector, Shared, draw_failures
from tests.chaos.invariants import InvariantReport
from tests.chaos.purchases import PATIENCE, audit, method_of, newest_order
from tests.chaos.viewers import cheap_skus, load_viewers
from tests.processes.gateway import Gateway
from tests.processes.site import SERVICES, Shop
from tests.processes.waiting import HELD

TIMEOUT = 3.0
"""Seconds that the gateways give each request."""

RECOVERY = 10.0
"""Seconds within which goodput is back after the last failure."""

SETTLING = 2.0
"""Seconds within which all resources are free after the last request."""

SAGA = "SagaCoordinator._start.<locals>.run"
"""The task of a purchase: one that a failure interrupted resumes when its lease is over."""

MIB = 1024 * 1024
MOST_MEMORY, MOST_GROWTH, ROUNDS_THAT_TELL = 220 * MIB, 12 * MIB, 6
READERS, WRITERS, CLIENTS = (1, 7, 23, 60), (103, 105), 4
ATTEMPTS_PER_CALL, SPARE_ATTEMPTS, BUDGET_WINDOW = 1.2, 3, 10.0


@dataclass(frozen=True)
class Plan:
    """How long each phase of a round takes (seconds), and whether there are failures at all."""

    seed: int
    seconds: float
    calm: float = 1.0
    storm: float = 10.0
    pause: float = 0.03
    has_faults: bool = True


@dataclass
class Chaos:
    """The shop under test, its clients, and the report of a run."""

    shop: Shop
    plan: Plan
    report: InvariantReport = field(default_factory=InvariantReport)
    call_counts: CallCounts = field(default_factory=CallCounts)
    others: Mapping[str, Shared] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)
    _skus: tuple[str, ...] = ()
    _newest: int = 0
    _methods: Mapping[int, str] = field(default_factory=dict)
    _owners: dict[bytes, int] = field(default_factory=dict)

    async def run(self) -> InvariantReport:
        """Run rounds until the time is up; return the report."""
        services = self.shop.services
        readers = await load_viewers(self.shop, READERS, screens=True)
        viewers = readers + await load_viewers(self.shop, WRITERS, screens=False)
        self._skus = await asyncio.to_thread(cheap_skus, self.shop, readers)
        self._newest = await asyncio.to_thread(newest_order, services["orders"])
        self._methods = {
            number: await asyncio.to_thread(method_of, services["payments"], number)
            for number in WRITERS
        }
        for number in WRITERS:  # their carts may be on readers' screens
            await asyncio.to_thread(services["cart"].ask, "DELETE", f"/carts/{number}")
        for service in services.values():
            await asyncio.to_thread(service.forget)
        storm = FaultInjector({**services, **self.others}, self.call_counts)
        self.stopwatch = Stopwatch({gateway.pid for gateway in self.shop.gateways.values()})
        ticking = asyncio.create_task(self.stopwatch.run())
        began, number = time.monotonic(), 0
        baseline = await self._look()
        try:
            while number == 0 or time.monotonic() - began < self.plan.seconds:
                await self._round(number, viewers, storm, baseline)
                number += 1
        finally:
            ticking.cancel()
        self.report.figures["shared by the gateways"] = ", ".join(self.others) or "nothing"
        await asyncio.to_thread(self._compare, baseline, time.monotonic() - began)
        payments, orders = services["payments"], services["orders"]
        await asyncio.to_thread(audit, payments, orders, WRITERS, self.report)
        self._weigh(number)
        return self.report

    def _weigh(self, rounds: int) -> None:
        """Compare the memory of the last rounds with that of the first ones, if there were many."""
        self.report.figures["rounds"] = str(rounds)
        for name, series in self.memory.items():
            third = len(series) // 3
            early, late = max(series[1 : third + 1] or series), max(series[-third:] or series)
            mib = [f"{value / MIB:.0f}" for value in (series[0], early, late)]
            self.report.figures[f"{name}: memory (MiB)"] = " → ".join(mib)
            if rounds >= ROUNDS_THAT_TELL:
                is_flat = late - early <= MOST_GROWTH
                self.report.hold(5, is_flat, f"{name} grows: {' → '.join(mib)} MiB")

    async def _round(
        self,
        number: int,
        viewers: Sequence[Viewer],
        storm: FaultInjector,
        baseline: Mapping[str, Mapping[str, Any]],
    ) -> None:
        dice = random.Random(self.plan.seed * 1_000 + number)
        clients = self._clients(viewers, dice)
        asking = [asyncio.create_task(client.run(self.plan.pause)) for client in clients]
        try:
            before = await self._goodput(clients, self.plan.calm)
            if self.plan.has_faults:
                failures = draw_failures(
                    dice.getrandbits(32), (*SERVICES, *self.others), self.plan.storm
                )
                self.report.counts["failures"] += len(failures)
                await asyncio.gather(storm.inject(failures), self._burst(clients, dice))
                await self._recover(clients, before)
            else:
                await asyncio.sleep(self.plan.storm)
        finally:
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure
        await self._settle(baseline)

    def _clients(self, viewers: Sequence[Viewer], dice: random.Random) -> list[Client]:
        ports = {name: gateway.port for name, gateway in self.shop.gateways.items()}
        checker = Checker(self.report, TIMEOUT, self._newest, self._owners)
        return [
            Client(
                viewer,
                ports,
                random.Random(dice.getrandbits(32)),
                checker,
                self.stopwatch,
                skus=self._skus if viewer.number in WRITERS else (),
                method=self._methods.get(viewer.number, ""),
            )
            for viewer in viewers
            for _ in range(CLIENTS)
        ]

    async def _goodput(self, clients: Sequence[Client], seconds: float) -> tuple[float, float]:
        """Measure the rate of good answers without failures, and their share of all."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        rate, share = goodput(clients, began, time.monotonic())
        self.report.hold(10, share > 0.5, f"no failures, and {share:.0%} of answers are good")
        return rate, share

    async def _burst(self, clients: Sequence[Client], dice: random.Random) -> None:
        """Send bursts of requests, at random intervals."""
        ends = time.monotonic() + self.plan.storm
        while time.monotonic() < ends:
            await asyncio.sleep(dice.uniform(1.0, 3.0))
            self.report.counts["bursts"] += 1
            crowd = self._clients([client.viewer for client in clients[::CLIENTS]] * 2, dice)
            await asyncio.gather(*(client.ask_something() for client in crowd))
            for client in crowd:
                client.leave()

    async def _recover(self, clients: Sequence[Client], before: tuple[float, float]) -> None:
        """Wait until goodput is again nearly what it was before the failures."""
        healed = time.monotonic()
        is_back, rate, share = False, 0.0, 0.0
        while not is_back and time.monotonic() - healed < RECOVERY:
            began = time.monotonic()
            await asyncio.sleep(0.5)
            rate, share = goodput(clients, began, time.monotonic())
            is_back = rate >= 0.6 * before[0] and share >= 0.97 * before[1]
        took = time.monotonic() - healed
        what = f"after {took:.1f} s {rate:.0f}/s of {before[0]:.0f}/s, {share:.0%} good"
        self.report.hold(10, is_back, what)
        slowest = max(took, float(self.report.figures.get("slowest recovery (s)", 0)))
        self.report.figures["slowest recovery (s)"] = f"{slowest:.1f}"
        self.report.figures["goodput when well (1/s)"] = f"{before[0]:.0f}"

    async def _look(self) -> dict[str, dict[str, Any]]:
        return {
            name: await asyncio.to_thread(gateway.look) | self._held_by(gateway)
            for name, gateway in self.shop.gateways.items()
        }

    def _held_by(self, gateway: Gateway) -> dict[str, Any]:
        """Return its files and its memory; connections to a shared store are pooled as well."""
        pooled = tuple(f"tcp {store.port} " for store in self.others.values())
        files = Counter(
            {name: count for name, count in gateway.files.items() if not name.startswith(pooled)}
        )
        if self.others and self.plan.has_faults:
            # Connections that died with a store stay in its pool, closed, until their next use.
            files["socket"] = max(0, files["socket"] - MAX_CONNECTIONS)
        return {"descriptors": files.total(), "files": files, "memory": gateway.memory}

    async def _settle(self, baseline: Mapping[str, Mapping[str, Any]]) -> None:
        """Check that all resources are free after the last request and the last open purchase."""
        began = time.monotonic()
        while True:
            now = await self._look()
            left = {name: _left(resources, baseline[name]) for name, resources in now.items()}
            is_buying = any(SAGA in resources["running"] for resources in now.values())
            within = PATIENCE if is_buying else SETTLING
            if not any(left.values()) or time.monotonic() - began > within:
                break
            await asyncio.sleep(0.05)
        for name, resources in now.items():
            self.report.hold(4, not left[name], f"{name} still has {left[name]}")
            memory = resources["memory"]
            self.report.hold(5, memory <= MOST_MEMORY, f"{name}: {memory / MIB:.0f} MiB")
            self.memory.setdefault(name, []).append(memory)
            self.report.figures[f"{name}: files, tasks at rest"] = (
                f"{resources['descriptors'] - resources['idle']}, {resources['tasks']}"
            )

    def _compare(self, baseline: Mapping[str, Mapping[str, Any]], seconds: float) -> None:
        """Compare the requests that services received with the calls of the gateways."""
        looks = {name: gateway.look() for name, gateway in self.shop.gateways.items()}
        windows = 1 + seconds / BUDGET_WINDOW
        for name, service in self.shop.services.items():
            self.call_counts.note(service)
            calls = _calls(looks, name) - _calls(baseline, name)
            streams = (
                self.call_counts.routes["orders GET /orders/export"] if name == "orders" else 0
            )
            attempts = self.call_counts.attempts[name] - streams
            allowed = ATTEMPTS_PER_CALL * calls + SPARE_ATTEMPTS * len(looks) * windows
            self.report.hold(2, attempts <= allowed, f"{name}: {attempts} for {calls} calls")
            self.report.counts["calls"] += calls
            self.report.counts["attempts"] += attempts
            strange = self.call_counts.undeclared_paths(service)
            self.report.hold(8, not strange, f"{name}: {strange[:3]}")
        self.report.hold(
            8, not self.call_counts.undeclared(), f"{self.call_counts.undeclared()[:3]}"
        )


def _calls(looks: Mapping[str, Mapping[str, Any]], service: str) -> int:
    return sum(look["upstreams"][service]["calls"] for look in looks.values())


def _left(resources: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources that a gateway holds beyond its baseline, without idle connections."""
    left = {one: resources[one] for one in HELD if resources[one]}
    if resources["tasks"] > baseline["tasks"]:
        left["tasks"] = resources["running"]
    files = (
        resources["descriptors"] - resources["idle"] - (baseline["descriptors"] - baseline["idle"])
    )
    more = Counter(resources["files"]) - Counter(baseline["files"])
    return left | ({"descriptors": f"{files} more: {dict(more)}"} if files > 0 else {})
