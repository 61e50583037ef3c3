"""Active health checks: probes beside the calls, and what they change."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bff_core import HealthCheck, Policy, Upstream
from bff_core.errors import ConfigurationError, DeadlineExceeded
from bff_core.events import Attempted, EndpointProbed, HealthChanged
from bff_core.policy.upstream.health import Streak
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.stack import UpstreamStack, open_stack

pytestmark = pytest.mark.virtual_time

ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3"
CHECK = HealthCheck("/healthz", jitter=0.0)


class Site:
    """Endpoints whose answers to probes and to calls a test scripts apart."""

    def __init__(self, check: HealthCheck = CHECK, **probes) -> None:
        self.bench = LayerRuntime()
        self.probes = {host: Scripted(*steps) for host, steps in probes.items()}
        self.calls = {host: Scripted() for host in self.probes}
        scripts = {host: Scripted(self._step(host)) for host in self.probes}
        self.policy = Policy(health=check, retry=None, breaker=None)
        self.transport = ScriptedTransport(scripts)
        self.stack = self.opened()

    def opened(self) -> UpstreamStack:
        urls = [f"http://{host}" for host in self.probes]
        return open_stack(self.policy, urls, self.bench.runtime, lambda *_: self.transport)

    def _step(self, host: str):
        async def step(call):
            script = self.probes if call.target.startswith("/healthz") else self.calls
            return await script[host](call)

        return step

    async def spread(self, times: int = 60) -> set[str]:
        """Return the hosts that calls go to."""
        before = Counter({host: len(script.calls) for host, script in self.calls.items()})
        for _ in range(times):
            await self.stack.handler(self.bench.call())
        after = Counter({host: len(script.calls) for host, script in self.calls.items()})
        return set(after - before)

    def health(self) -> dict[str, str]:
        return {one.name.partition(":")[0]: one.health for one in self.stack.state().endpoints}


@asynccontextmanager
async def running(site: Site, seconds: float = 0.1) -> AsyncIterator[Site]:
    site.stack.start()
    await asyncio.sleep(seconds)
    yield site
    await site.stack.aclose()


async def test_an_endpoint_that_fails_its_first_probe_gets_no_calls() -> None:
    """It need not fail three times: nothing good is known of it."""
    async with running(Site(**{ONE: [reply()], TWO: [reply(503)], THREE: [reply()]})) as site:
        assert site.health() == {ONE: "up", TWO: "down", THREE: "up"}
        assert await site.spread() == {ONE, THREE}


async def test_three_bad_probes_take_an_endpoint_out_and_one_good_brings_it_back() -> None:
    """At intervals of ten seconds: out after 20 more seconds, back with the first good probe."""
    bad = [reply(500)] * 3
    async with running(
        Site(**{ONE: [reply()], TWO: [reply(), *bad, reply()], THREE: [reply()]})
    ) as site:
        await asyncio.sleep(20)
        assert site.health()[TWO] == "up"
        await asyncio.sleep(10)
        assert site.health()[TWO] == "down"
        assert await site.spread() == {ONE, THREE}
        await asyncio.sleep(10)
        assert await site.spread() == {ONE, TWO, THREE}
        assert [(e.endpoint, e.health, e.reason) for e in site.bench.events_of(HealthChanged)] == [
            (f"{TWO}:80", "down", "status 500"),
            (f"{TWO}:80", "up", ""),
        ]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (reply(199), "status 199"),
        (reply(300), "status 300"),
        (reply(404), "status 404"),
        (reply(200, b"not yet"), "the body lacks the expected text"),
        (hang(), "timeout"),
        (fail(), "unavailable"),
        (fail(is_sent=False), "unavailable"),
    ],
)
async def test_what_a_bad_probe_is(step, reason) -> None:
    """Another status, another body, silence for two seconds, or no connection."""
    check = HealthCheck(contains="ready", jitter=0.0)
    async with running(Site(check, **{ONE: [reply(200, b"ready")], TWO: [step]}), 2.1) as site:
        assert site.health() == {ONE: "up", TWO: "down"}
        assert [event.reason for event in site.bench.events_of(HealthChanged)] == [reason]


async def test_without_a_health_check_nothing_is_probed() -> None:
    """The default: no task, no request."""
    site = Site(**{ONE: [reply()], TWO: [reply()]})
    site.policy = Policy()
    site.stack = site.opened()
    async with running(site, 60):
        assert not site.bench.background
        assert not any(script.calls for script in site.probes.values())
        assert site.health() == {ONE: "", TWO: ""}


async def test_a_probe_is_a_plain_get_of_its_own() -> None:
    """No credentials, no trace, no layer: the figures of calls do not count it."""
    async with running(Site(**{ONE: [reply()]})) as site:
        (probe,) = site.probes[ONE].calls
        assert (probe.method, probe.target, probe.operation) == ("GET", "/healthz", "GET /healthz")
        assert (probe.headers, probe.audience, probe.traceparent, probe.token) == (
            ((b"accept", b"*/*"),), None, "", None,
        )  # fmt: skip
        assert site.bench.events_of(Attempted) == []
        assert site.stack.state().endpoints[0].in_flight == 0
        (event,) = site.bench.events_of(EndpointProbed)
        assert (event.endpoint, event.outcome) == (f"{ONE}:80", "up")


async def test_intervals_are_longer_or_shorter_by_jitter() -> None:
    """Several gateways do not probe in step: 10 s, a fifth more or less."""
    async with running(Site(HealthCheck(), **{ONE: [reply()]}), 1000) as site:
        deadlines = [probe.deadline for probe in site.probes[ONE].calls]
        gaps = [later - earlier for earlier, later in itertools.pairwise(deadlines)]
        assert all(8 <= gap <= 12.001 for gap in gaps)
        assert max(gaps) - min(gaps) > 2


async def test_all_endpoints_that_are_down_are_used() -> None:
    """Panic: if the health path itself is broken, calls go on."""
    async with running(Site(**{ONE: [reply(404)], TWO: [reply(404)]})) as site:
        assert site.stack.state().is_panicking
        assert await site.spread() == {ONE, TWO}


async def test_a_drained_connection_pool_takes_no_endpoint_down() -> None:
    """Probes have connections of their own: calls that wait for one do not make a probe late."""
    async with running(Site(**{ONE: [reply()], TWO: [reply()]})) as site:
        connectors = {id(member.target) for member in site.stack.balancer.endpoints.members}

        assert len(connectors) == 2
        assert sorted(site.transport.closed) == []
        await site.stack.aclose()
        await asyncio.sleep(0.01)
        assert sorted(site.transport.closed) == [ONE, ONE, TWO, TWO]
        assert not site.bench.background


class Users(Upstream):
    """A service with health checks."""

    policy = Policy(health=CHECK, retry=None)


async def test_a_new_policy_knows_the_health_of_endpoints_and_ends_the_old_probes() -> None:
    """After a reload the dead endpoint is not tried again, and each endpoint is probed once."""
    site = Site(**{ONE: [reply()], TWO: [hang()]})
    urls = [f"http://{host}" for host in site.probes]
    registry = UpstreamRegistry(
        lambda _: urls, lambda _: site.bench.runtime, lambda *_: site.transport
    )
    registry.adopt({Users: Users.policy})
    await asyncio.sleep(3)
    registry.adopt({Users: replace(Users.policy, timeout=1.0)})
    (site.stack,) = registry.stacks
    assert site.health() == {ONE: "up", TWO: "down"}
    before = len(site.probes[ONE].calls)

    await asyncio.sleep(100.5)

    assert len(site.probes[ONE].calls) - before == 11
    await registry.aclose()


async def test_a_probe_leaves_the_breaker_alone() -> None:
    """Probes that fail open no circuit; calls that fail do."""
    site = Site(**{ONE: [fail()]})
    site.policy = Policy(health=replace(CHECK, interval=1.0))
    site.stack = site.opened()
    async with running(site, 120):
        assert len(site.probes[ONE].calls) > 100
        assert not site.stack.is_open
        assert (await site.stack.handler(site.bench.call())).status == 200


async def test_a_transport_that_raises_anything_does_not_end_the_probes() -> None:
    """An error of any class is a bad probe."""

    async def broken(_):
        raise ZeroDivisionError

    async with running(Site(**{ONE: [broken], TWO: [reply()]}), 15) as site:
        assert site.health() == {ONE: "down", TWO: "up"}
        assert len(site.probes[ONE].calls) == 2


async def test_an_error_of_the_deadline_is_a_bad_probe() -> None:
    """The wire transport enforces the deadline of a probe itself."""

    async def late(call):
        raise DeadlineExceeded("too late", call=call)

    async with running(Site(**{ONE: [late], TWO: [reply()]})) as site:
        assert site.health()[ONE] == "down"


async def test_names_are_looked_up_for_probes() -> None:
    """Without a call an endpoint behind a name is found, probed, and followed when it moves."""
    addresses, loop = [ONE], asyncio.get_running_loop()

    async def resolve(_name: str) -> list[str]:
        return addresses

    loop.resolver = resolve
    site = Site(**{ONE: [reply()], TWO: [reply(503)]})
    site.transport.needs_addresses = True
    site.stack = open_stack(
        site.policy, ["http://users.internal"], site.bench.runtime, lambda *_: site.transport
    )
    async with running(site, 1):
        assert [one.health for one in site.stack.state().endpoints] == ["up"]

        addresses[:] = [TWO]
        await asyncio.sleep(60)

        assert [one.health for one in site.stack.state().endpoints] == ["down"]
        before = len(site.probes[ONE].calls)
        await asyncio.sleep(60)
        assert len(site.probes[ONE].calls) == before


def test_only_probes_in_a_row_count() -> None:
    """Two bad ones, a good one, two bad ones: still up. With up_after=2 a good one is too few."""
    streak = Streak(HealthCheck(down_after=3, up_after=2))
    health, found = "unknown", []
    for is_good in (True, False, False, True, False, False, False, True, False, True, True):
        health = streak.add(health, is_good=is_good)
        found.append(health)

    assert found == ["up"] * 6 + ["down"] * 4 + ["up"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"path": "healthz"}, "path must begin with /"),
        ({"path": "/a b"}, "path must begin with /"),
        ({"path": "/a#b"}, "path must begin with /"),
        ({"path": "/\r\nx: y"}, "path must begin with /"),
        ({"expect": (200,)}, "expect must be the lowest and the highest"),
        ({"expect": (299, 200)}, "expect must be the lowest and the highest"),
        ({"expect": (99, 200)}, "expect must be the lowest and the highest"),
        ({"expect": 200}, "expect must be tuple"),
        ({"interval": 0.5}, "interval must be 1 to 3,600"),
        ({"timeout": 0.0}, "timeout must be 0.01 to 60"),
        ({"jitter": 1.0}, "jitter must be 0 to 0.9"),
        ({"down_after": 0}, "down_after must be 1 to 100"),
    ],
)
def test_wrong_health_checks_are_refused(wrong, message) -> None:
    """Each error names the option, and what it accepts."""
    with pytest.raises(ConfigurationError, match=message):
        HealthCheck(**wrong)
