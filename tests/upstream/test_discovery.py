"""Discovery: lists of endpoints that change, break and come back while calls go on."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

import pytest
from msgspec.structs import replace

from bff_core import Balance, Policy, Upstream
from bff_core.errors import ConfigurationError, TransportFailed
from bff_core.events import Resolved
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.settings.model import Settings
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import (
    Scripted,
    ScriptedConnector,
    ScriptedTransport,
    reply,
    stream,
)
from bff_core.upstream.configured_addresses import addresses_of
from bff_core.upstream.destinations import Address, destinations
from bff_core.upstream.discovery.file import FileDiscovery, endpoints_in
from bff_core.upstream.discovery.srv import SrvDiscovery
from bff_core.upstream.stack import UpstreamStack, open_stack
from bff_core.upstream.transport.interface import Endpoint

pytestmark = pytest.mark.virtual_time

ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3"


ONCE = Policy(retry=None)


class Source:
    """A discovery that yields what a test hands it; an error ends the iteration."""

    def __init__(self, *lists: object) -> None:
        self.news: asyncio.Queue[object] = asyncio.Queue()
        self.watched = self.closed = 0
        for one in lists:
            self.news.put_nowait(one)

    def __repr__(self) -> str:
        return "source"

    async def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
        self.watched += 1
        try:
            while True:
                found = await self.news.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            self.closed += 1


def at(*hosts: str, **options) -> list[EndpointOptions]:
    return [EndpointOptions(f"http://{host}", **options) for host in hosts]


class Careful(ScriptedTransport):
    """A transport that refuses hosts with an underscore, as the wire transport does."""

    def connect(self, endpoint: Endpoint) -> ScriptedConnector:
        if "_" in endpoint.host:
            raise ConfigurationError(f"{endpoint.host!r} is not a host name or address")
        return super().connect(endpoint)


class Site:
    """A stack over discovered endpoints, and what it is called at."""

    def __init__(self, *addresses: Address, policy: Policy = ONCE, **scripts) -> None:
        self.bench = LayerRuntime()
        self.scripts = {host: Scripted() for host in (ONE, TWO, THREE)} | scripts
        self.transport = Careful(self.scripts)
        self.stack: UpstreamStack = open_stack(
            policy, addresses, self.bench.runtime, lambda *_: self.transport
        )

    async def __aenter__(self) -> Self:
        self.stack.start()
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    @property
    def names(self) -> list[str]:
        return [key.host for key in self.stack.balancer.endpoints.keys]

    @property
    def errors(self) -> list[str]:
        return [event.error for event in self.bench.events_of(Resolved) if event.error]


async def test_the_endpoints_are_those_of_the_last_list() -> None:
    """They come and go, with their weights; what stays is the same endpoint."""
    source = Source(at(ONE, TWO))
    async with Site(source) as site:
        assert site.names == [ONE, TWO]
        before = site.stack.balancer.endpoints.members

        source.news.put_nowait([*at(TWO, weight=0), *at(THREE, priority=1)])
        await asyncio.sleep(0.1)

        after = site.stack.balancer.endpoints.members
        assert after[0] is before[1]
        assert [(one.key.host, one.weight, one.priority) for one in after] == [
            (TWO, 0, 0), (THREE, 1, 1),
        ]  # fmt: skip
        assert site.transport.closed == [ONE]
        assert [event.endpoints for event in site.bench.events_of(Resolved)] == [
            (f"{ONE}:80", f"{TWO}:80"), (f"{TWO}:80", f"{THREE}:80"),
        ]  # fmt: skip


async def test_the_first_call_waits_for_the_first_list() -> None:
    """Up to two seconds; and nothing needs to be started for that."""
    source = Source()
    site = Site(source)
    asyncio.get_running_loop().call_later(1.5, source.news.put_nowait, at(ONE))

    answer = await site.stack.handler(site.bench.call())

    assert answer.status == 200
    await site.stack.aclose()


async def test_without_a_list_calls_fail_with_the_reason() -> None:
    """After two seconds, and at once after an error."""
    async with Site(Source()) as site:
        with pytest.raises(TransportFailed, match="no address is known"):
            await site.stack.handler(site.bench.call())
        assert 1.9 < site.bench.now - 1_000_000 < 2.2
    async with Site(Source(OSError("no route"))) as site:
        with pytest.raises(TransportFailed, match="source: no route"):
            await site.stack.handler(site.bench.call())


async def test_an_empty_list_leaves_nothing_to_call() -> None:
    """The service was scaled to zero."""
    source = Source(at(ONE))
    async with Site(source) as site:
        source.news.put_nowait([])
        await asyncio.sleep(0.1)

        with pytest.raises(TransportFailed, match="no address is known"):
            await site.stack.handler(site.bench.call())


async def test_a_failing_discovery_leaves_the_last_list_in_use_for_a_while() -> None:
    """It is watched again each second, reported once, and after ten minutes its list is dropped."""
    source = Source(at(ONE))
    async with Site(source) as site:
        for _ in range(700):
            source.news.put_nowait(OSError("no route"))
        await asyncio.sleep(599)
        assert site.names == [ONE]
        assert site.errors == ["source: no route"]
        assert source.watched == source.closed == pytest.approx(600, abs=2)

        await asyncio.sleep(3)

        assert site.names == []
        assert site.errors == ["source: no route"] * 2


async def test_a_discovery_recovers() -> None:
    """The next good list is used, and the time of failures starts again."""
    source = Source(at(ONE), OSError("no route"), at(TWO))
    async with Site(source, policy=Policy(balance=Balance(last_good_for=5.0))) as site:
        await asyncio.sleep(2)
        assert site.names == [TWO]

        for _ in range(4):
            source.news.put_nowait(OSError("no route"))
        await asyncio.sleep(4)

        assert site.names == [TWO]


async def test_a_discovery_that_hangs_after_a_failure_is_given_up() -> None:
    """It fails once, and then nothing comes: its list is dropped after `last_good_for`, too."""
    source = Source(at(ONE), OSError("no route"))
    async with Site(source, policy=Policy(balance=Balance(last_good_for=5.0))) as site:
        await asyncio.sleep(4.8)
        assert site.names == [ONE]

        await asyncio.sleep(0.3)

        assert site.names == []


async def test_a_discovery_without_news_is_no_failure() -> None:
    """A list holds for as long as nothing else is said."""
    async with Site(Source(at(ONE)), policy=Policy(balance=Balance(last_good_for=5.0))) as site:
        await asyncio.sleep(5000)

        assert site.names == [ONE]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("http://10.0.0.1", "not a list of EndpointOptions"),
        (["http://10.0.0.1"], "not a list of EndpointOptions"),
        (None, "not a list of EndpointOptions"),
        ([EndpointOptions("http://10.0.0.1")] * 10_001, "more than 10,000 endpoints"),
        (at("_x_..y"), "is not a host name"),
    ],
    ids=["text", "list of text", "none", "too many", "no host"],
)
async def test_a_wrong_list_is_reported_and_not_used(wrong, message) -> None:
    """The last good one stays."""
    source = Source(at(ONE))
    async with Site(source) as site:
        source.news.put_nowait(wrong)
        await asyncio.sleep(0.1)

        assert site.names == [ONE]
        assert message in site.errors[0]
        assert (await site.stack.handler(site.bench.call())).status == 200


async def test_a_wrong_list_of_one_discovery_does_not_hinder_another() -> None:
    """Each has a last good list of its own."""
    one, other = Source(at(ONE)), Source(at(TWO))
    async with Site(one, other) as site:
        one.news.put_nowait(at("no_host"))
        await asyncio.sleep(0.1)
        other.news.put_nowait(at(THREE))
        await asyncio.sleep(0.1)

        assert site.names == [ONE, THREE]


async def test_a_stream_ends_undisturbed_when_its_endpoint_is_gone() -> None:
    """Connections to a removed endpoint close when its calls have ended."""
    source = Source(at(ONE))
    script = Scripted(stream(b"one", 5.0, b"two"))
    async with Site(source, **{ONE: script}) as site:
        answer = await site.stack.handler(replace(site.bench.call(), is_streamed=True))
        source.news.put_nowait(at(TWO))
        await asyncio.sleep(0.1)
        assert site.names == [TWO]
        assert site.transport.closed == []

        pieces = [piece async for piece in answer]
        await asyncio.sleep(0.1)

        assert pieces == [b"one", b"two"]
        assert site.transport.closed == [ONE]


async def test_fixed_and_discovered_endpoints_are_used_together() -> None:
    """The options of a fixed one count for an address that both name."""
    source = Source([*at(TWO), *at(ONE, weight=9)])
    async with Site(EndpointOptions(f"http://{ONE}", weight=2), source) as site:
        members = site.stack.balancer.endpoints.members

        assert [(one.key.host, one.weight) for one in members] == [(ONE, 2), (TWO, 1)]
        assert site.stack.origins == [f"http://{ONE}", f"http://{TWO}"]


async def test_a_closed_stack_watches_nothing() -> None:
    """The iteration is closed with it."""
    source = Source(at(ONE))
    async with Site(source) as site:
        pass
    await asyncio.sleep(0.01)

    assert (source.watched, source.closed) == (1, 1)
    assert not site.bench.background


class Kubernetes:
    """The endpoints of a Service, from the API server: an example of another discovery.

    `list` returns an Endpoints object, `changes` yields each new one (GET with `?watch=true`).
    """

    def __init__(self, list_endpoints, changes, *, zone: str) -> None:
        self._list, self._changes, self._zone = list_endpoints, changes, zone

    async def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
        yield self._endpoints(await self._list())
        async for found in self._changes():
            yield self._endpoints(found)

    def _endpoints(self, found: dict) -> list[EndpointOptions]:
        return [
            EndpointOptions(
                f"http://{address['ip']}:{subset['ports'][0]['port']}",
                priority=int(address.get("zone") != self._zone),
                zone=address.get("zone", ""),
                metadata={"pod": address["targetRef"]["name"]},
            )
            for subset in found["subsets"]
            for address in subset.get("addresses", ())
        ]


async def test_another_discovery_takes_thirty_lines() -> None:
    """Kubernetes as a source: pods of the own zone first, those of others when these are out."""

    def pods(*named: tuple[str, str, str]) -> dict:
        addresses = [
            {"ip": ip, "zone": zone, "targetRef": {"name": name}} for ip, zone, name in named
        ]
        return {"subsets": [{"addresses": addresses, "ports": [{"port": 80}]}]}

    async def listed() -> dict:
        return pods((ONE, "north", "a"), (TWO, "south", "b"))

    async def changes() -> AsyncIterator[dict]:
        await asyncio.sleep(10)
        yield pods((TWO, "south", "b"), (THREE, "north", "c"))
        await asyncio.sleep(1000)

    async with Site(Kubernetes(listed, changes, zone="north")) as site:
        for _ in range(20):
            await site.stack.handler(site.bench.call())
        assert [len(script.calls) for script in site.scripts.values()] == [20, 0, 0]

        await asyncio.sleep(10)
        for _ in range(20):
            await site.stack.handler(site.bench.call())

        assert [len(script.calls) for script in site.scripts.values()] == [20, 0, 20]


# Files


def write(path: Path, content: str | object) -> None:
    """Replace a file atomically, as an operator's tool does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(content if isinstance(content, str) else json.dumps(content))
    fresh.replace(path)


async def test_a_file_is_followed(tmp_path: Path) -> None:
    """A replaced file is used within a second or two."""
    path = tmp_path / "carts.json"
    write(path, [f"http://{ONE}", {"url": f"http://{TWO}", "weight": 3}])
    async with Site(f"file://{path}") as site:
        assert site.names == [ONE, TWO]

        write(path, {"endpoints": [f"http://{THREE}"]})
        await asyncio.sleep(1.1)

        assert site.names == [THREE]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is not JSON"),
        ("[", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("7", "must hold a list of endpoints"),
        ("{}", "must hold a list of endpoints"),
        ('["ftp://x"]', "endpoints[0]: EndpointOptions.url = 'ftp://x'"),
        ('["http://a", 7]', "endpoints[1] must be an address or a table with url"),
        ('[{"weight": 1}]', "endpoints[0] must be an address or a table with url"),
        ('[{"url": "http://a", "wieght": 1}]', "endpoints[0] has no wieght; there are url, weight"),
        ('[{"url": "http://a", "weight": 1001}]', "weight must be 0 to 1,000"),
        ('[{"url": "http://a", "weight": "1"}]', "weight must be int"),
        ('[{"url": "http://a", "metadata": {"a": {}}}]', "metadata must map text to text"),
        (" " * (1024 * 1024 + 1), "it is larger than 1,048,576 bytes"),
    ],
    ids=range(13),
)
async def test_a_bad_file_leaves_the_last_good_list(tmp_path: Path, content, message) -> None:
    """It is reported once, with what is wrong, and used again when it is mended."""
    path = tmp_path / "carts.json"
    write(path, [f"http://{ONE}"])
    async with Site(f"file://{path}") as site:
        write(path, content)
        await asyncio.sleep(5)
        assert site.names == [ONE]
        (error,) = site.errors
        assert f"file://{path}: " in error
        assert message in error

        write(path, [f"http://{TWO}"])
        await asyncio.sleep(2.1)

        assert site.names == [TWO]


async def test_a_missing_file_is_awaited(tmp_path: Path) -> None:
    """A sidecar may write it after the gateway has started."""
    path = tmp_path / "carts.toml"
    async with Site(f"file://{path}") as site:
        assert "it can't be read: No such file" in site.errors[0]

        write(path, f'endpoints = ["http://{ONE}", {{ url = "http://{TWO}", zone = "north" }}]')
        await asyncio.sleep(1.1)

        assert [one.zone for one in site.stack.balancer.endpoints.members] == ["", "north"]


def test_toml_has_the_same_options_as_json() -> None:
    """Every option can be given in both."""
    toml = b"""
    [[endpoints]]
    url = "https://a:8443/v1/"
    weight = 0
    priority = 2
    zone = "north"
    metadata = { rack = "7" }
    """
    expected = EndpointOptions(
        "https://a:8443/v1", weight=0, priority=2, zone="north", metadata={"rack": "7"}
    )
    text = json.dumps([{"url": "https://a:8443/v1/", "weight": 0, "priority": 2, "zone": "north",
                        "metadata": {"rack": "7"}}])  # fmt: skip

    assert endpoints_in(toml, is_toml=True) == [expected]
    assert endpoints_in(text.encode(), is_toml=False) == [expected]


# Where addresses come from


class Carts(Upstream):
    """A service with addresses in the code."""

    endpoints = (f"http://{ONE}", EndpointOptions(f"http://{TWO}", weight=3))


class Found(Upstream):
    """A service with a discovery in the code."""

    discovery = FileDiscovery("/etc/endpoints.json")


class Neither(Upstream):
    """A service with addresses in the settings only."""


def test_settings_replace_the_addresses_in_the_code() -> None:
    """All of them: an operator's list is complete."""
    assert addresses_of(Carts, Settings()) == [*Carts.endpoints]
    assert addresses_of(Found, Settings()) == [Found.discovery]
    own = Settings(upstreams={"carts": ("http://own",), "found": ("srv://_http._tcp.found",)})
    assert addresses_of(Carts, own) == ("http://own",)
    assert addresses_of(Found, own) == ("srv://_http._tcp.found",)
    with pytest.raises(ConfigurationError, match="BFF_UPSTREAM_NEITHER is not set"):
        addresses_of(Neither, own)


def test_an_address_stands_for_endpoints_or_for_a_list() -> None:
    """By its scheme; dns:// is another way to write http://."""
    found = destinations(
        ["http://a", "dns://b:81", "https://c/v1", "srv://_https._tcp.d", "file:///e.json"]
    )

    assert [one.url for one in found.origins] == ["http://a", "http://b:81", "https://c/v1"]
    assert [repr(one) for one in found.discoveries] == ["srv://_https._tcp.d", "file:///e.json"]
    assert isinstance(found.discoveries[0], SrvDiscovery)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"endpoints": "http://a"}, "endpoints must be a tuple"),
        ({"endpoints": ("a:80",)}, "endpoints: 'a:80': an address starts with"),
        ({"endpoints": (7,)}, "endpoints: 7 must be an address or EndpointOptions"),
        ({"endpoints": ("srv://users",)}, "an SRV name is srv://_http._tcp.NAME"),
        ({"discovery": "srv://_http._tcp.a"}, "discovery must be an object with"),
        ({"discovery": FileDiscovery}, "discovery must be an object with"),
    ],
)
def test_wrong_addresses_of_a_class_are_refused(attributes, message) -> None:
    """When the class is made, not when it is called."""
    with pytest.raises(ConfigurationError, match=message):
        type("Wrong", (Upstream,), attributes)


async def test_discovered_names_are_looked_up() -> None:
    """Each address of a name in a list is an endpoint with the options of the name."""

    async def resolve(name: str) -> Sequence[str]:
        return {"carts": (ONE, TWO), "more": (THREE,)}[name]

    asyncio.get_running_loop().resolver = resolve
    source = Source(at("carts", weight=5))
    bench = LayerRuntime()
    transport = ScriptedTransport({ONE: Scripted(reply()), TWO: Scripted(), THREE: Scripted()})
    transport.needs_addresses = True
    stack = open_stack(Policy(retry=None), [source], bench.runtime, lambda *_: transport)

    assert (await stack.handler(bench.call())).status == 200
    members = stack.balancer.endpoints.members
    assert [(one.key.address, one.weight) for one in members] == [(ONE, 5), (TWO, 5)]

    source.news.put_nowait(at("carts", "more"))
    await asyncio.sleep(0.1)

    assert [one.key.address for one in stack.balancer.endpoints.members] == [ONE, TWO, THREE]
    await stack.aclose()
