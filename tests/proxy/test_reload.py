"""A file of routes is read again while requests, streams and web sockets go on."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bff_core import ConfigurationError, Settings, gateway
from bff_core.call import Reply
from bff_core.events import Events, RoutesChanged, RoutesRefused, RoutesRolledBack
from bff_core.testing import reply, running
from bff_core.testing.scripted import Scripted, ScriptedTransport

pytestmark = pytest.mark.virtual_time


class Site:
    """A gateway whose routes are a file, over services at 10.0.0.1 and 10.0.0.2."""

    def __init__(self, folder) -> None:
        self.file = folder / "proxy.toml"
        self.heard: list[object] = []
        self.one, self.two = Scripted(reply(200, b"one")), Scripted(reply(200, b"two"))
        self.write("10.0.0.1", "/x")

    def write(self, address: str, *paths: str, more: str = "") -> None:
        """Write a file with a route for each path."""
        upstream = f'[upstreams.suppliers]\nendpoints = ["http://{address}"]\nretry = false\n'
        routes = [
            f'[[routes]]\nid = "r{path[1:]}"\nmatch = {{ path = "{path}" }}\nto = "suppliers"\n'
            f'access = "anyone"\n{more}'
            for path in paths
        ]
        self.file.write_text("\n".join([upstream, *routes]))

    @asynccontextmanager
    async def open(self):
        """Run the gateway; yield a client."""
        self.app = gateway(
            "shop",
            settings=Settings(env="development", log="off", proxy=str(self.file)),
            transport=lambda *_: ScriptedTransport({"10.0.0.1": self.one, "10.0.0.2": self.two}),
            events=Events(self.heard.append),
            clock=asyncio.get_running_loop().time,
        )
        async with running(self.app) as client:
            self.heard.clear()
            yield client

    def events(self, kind: type) -> list:
        """Return the events of one kind."""
        return [event for event in self.heard if isinstance(event, kind)]


@pytest.fixture
def site(tmp_path):
    """Return the gateway of one test, not opened yet."""
    return Site(tmp_path)


async def test_a_route_is_added_changed_and_removed(site):
    """Each at once, and the event says what changed."""
    async with site.open() as client:
        site.write("10.0.0.1", "/x", "/y")
        added = await site.app.reload()
        first = await client.get("/y")
        site.write("10.0.0.2", "/x", "/y")
        changed = await site.app.reload()
        second = await client.get("/y")
        site.write("10.0.0.2", "/x")
        removed = await site.app.reload()
        third = await client.get("/y")

    assert added == ("route ry: added",)
    assert changed == ("upstream suppliers: changed", "route rx: changed", "route ry: changed")
    assert removed == ("route ry: removed",)
    assert (first.content, second.content, third.status_code) == (b"one", b"two", 404)
    assert [one.generation for one in site.events(RoutesChanged)] == [2, 3, 4]


async def test_a_wrong_file_changes_nothing(site):
    """The error has the line, and the routes before go on."""
    async with site.open() as client:
        site.file.write_text(site.file.read_text().replace('to = "suppliers"', 'to = "supliers"'))
        with pytest.raises(ConfigurationError, match=r"proxy.toml:\d+:\d+ .*supliers"):
            await site.app.reload()
        answer = await client.get("/x")

    assert answer.content == b"one"
    assert len(site.events(RoutesRefused)) == 1
    assert site.events(RoutesChanged) == []


async def test_an_unchanged_file_changes_nothing(site):
    """Its upstream is the same object: connections, circuit and counters stay."""
    async with site.open():
        before = dict(site.app.services)
        changes = await site.app.reload()

        assert changes == ()
        assert dict(site.app.services) == before
        assert site.events(RoutesChanged) == []


async def test_an_upstream_that_did_not_change_stays(site):
    """Another route is changed; the connections of the service stay."""
    async with site.open():
        (before,) = site.app.services.values()
        site.write("10.0.0.1", "/x", "/y")
        await site.app.reload()

        assert list(site.app.services.values()) == [before]


async def test_a_request_under_way_ends_on_the_service_that_it_began_with(site):
    """Also if its route and its upstream are gone meanwhile."""
    site.one = Scripted(slowly(b"one"))
    async with site.open() as client:
        request = asyncio.create_task(client.get("/x"))
        await asyncio.sleep(0.5)
        site.write("10.0.0.2", "/y")
        await site.app.reload()
        late = await client.get("/x")
        answer = await request

    assert (answer.status_code, answer.content) == (200, b"one")
    assert late.status_code == 404


def slowly(body: bytes):
    """Return a service that answers after two seconds."""

    async def answer(_call):
        await asyncio.sleep(2.0)
        return Reply(200, (), body)

    return answer


async def test_limits_and_cors_of_new_routes_hold(site):
    """Although the gateway had none when it started."""
    async with site.open() as client:
        more = (
            'limits = [{ quota = 1, by = "address" }]\ncors = { origins = ["https://a.example"] }\n'
        )
        site.write("10.0.0.1", "/x", "/y", more=more)
        await site.app.reload()
        first = await client.get("/y", headers={"origin": "https://a.example"})
        second = await client.get("/y")

    assert first.headers["access-control-allow-origin"] == "https://a.example"
    assert second.status_code == 429


async def test_routes_that_fail_are_taken_back(site):
    """Twenty failures within 30 seconds, where there were none: the routes before serve again."""
    site.two = Scripted(reply(500))
    async with site.open() as client:
        for _ in range(100):
            await client.get("/x")
        site.write("10.0.0.2", "/x")
        await site.app.reload()
        failed = [(await client.get("/x")).status_code for _ in range(20)]
        await asyncio.sleep(0.1)
        after = await client.get("/x")
        with pytest.raises(ConfigurationError, match="were taken back"):
            await site.app.reload()
        site.write("10.0.0.2", "/x", "/y")
        mended = await site.app.reload()

    assert failed == [500] * 20
    assert after.content == b"one"
    (event,) = site.events(RoutesRolledBack)
    assert (event.generation, event.reason) == (2, "20 of 20 answers failed (100%, before 0%)")
    assert "route ry: added" in mended


async def test_failures_after_half_a_minute_take_nothing_back(site):
    """Then it is the service, not the change."""
    site.two = Scripted(*[reply(200)] * 2, *[reply(500)] * 40)
    async with site.open() as client:
        site.write("10.0.0.2", "/x")
        await site.app.reload()
        await client.get("/x")
        await asyncio.sleep(31.0)
        for _ in range(40):
            await client.get("/x")

    assert site.events(RoutesRolledBack) == []


async def test_ten_reloads_leave_nothing_behind(site):
    """The upstreams of earlier generations close after ten minutes."""
    async with site.open() as client:
        for number in range(10):
            site.write(f"10.0.0.{1 + number % 2}", "/x")
            await site.app.reload()
            assert (await client.get("/x")).status_code == 200
        await asyncio.sleep(601.0)

        assert len(site.app.services) == 1
        assert len(site.app.running.stacks) == 1
        assert len(site.app.running.upstreams._replaced) == 0
