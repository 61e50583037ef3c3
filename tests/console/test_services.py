"""The API of services for pages of the run's gateways: who may use it, and what it reports."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from bff_core.console.console_app import AREAS
from bff_core.console.development import Development
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import ProcessInfo
from bff_core.console.program_client import ProgramClient
from bff_core.console.services.watch import ServiceWatch
from tests.console.conftest import CHANGE, browser

WEB, SAME_BY_ADDRESS = "http://localhost:8001", "http://127.0.0.1:8001"
SITE = {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}
PATH = "/console/api/services"


class Run:
    """A run of one gateway and two services without control routes."""

    def __init__(self) -> None:
        rows = [("reviews", "service", 1), ("stock", "service", 1), ("web", "gateway", 8001)]
        self.infos = {n: ProcessInfo(name=n, kind=k, port=p, state="running") for n, k, p in rows}

    def set_state(self, name: str, state: str, since: float | None = None) -> None:
        """Let a process be in a state."""
        self.infos[name].state, self.infos[name].since = state, since


@pytest.fixture
def run() -> Run:
    """Return a run in which all is well."""
    return Run()


@pytest.fixture
def opened(pages, run):
    """Open a console of the run, and a client of it."""

    @asynccontextmanager
    async def open_console():
        console, client = pages.console(), ProgramClient()
        console.run = Development(
            logs=LogRing(),
            client=client,
            processes=lambda: list(run.infos.values()),
            start=lambda name: run.set_state(name, "starting"),
            stop=lambda name: run.set_state(name, "stopped", 1000.0),
            origins=frozenset({WEB, SAME_BY_ADDRESS}),
        )
        app = pages.app(console)
        async with browser(app) as http:
            yield console, http
        await app.aclose()
        await client.aclose()

    return open_console


@pytest.mark.parametrize("origin", [WEB, SAME_BY_ADDRESS])
async def test_a_page_of_a_gateway_reads_the_services(opened, origin):
    """It gets all services, none of the gateways, and may read the answer."""
    async with opened() as (_, http):
        found = await http.get(PATH, headers={"origin": origin, **SITE})

    assert found.status_code == 200
    assert found.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in found.headers
    assert (found.headers["vary"], found.headers["cache-control"]) == ("Origin", "no-store")
    assert found.json() == {
        "services": [
            {"name": "reviews", "state": "running", "detail": "", "since": None},
            {"name": "stock", "state": "running", "detail": "", "since": None},
        ]
    }


async def test_a_page_of_a_gateway_stops_and_starts_a_service(opened):
    """The answer has the new state, and the action is an event of the console."""
    page = {"origin": WEB, **SITE, **CHANGE}
    async with opened() as (console, http):
        stopped = await http.post(f"{PATH}/stock/stop", headers=page)
        again = await http.post(f"{PATH}/stock/stop", headers=page)
        started = await http.post(f"{PATH}/stock/start", headers=page, content=b"{}")
        texts = [one.text for one in await console.actions()]

    assert stopped.json() == {"name": "stock", "state": "stopped", "detail": "", "since": 1000.0}
    assert (again.status_code, again.json()) == (200, stopped.json())
    assert started.json() == {"name": "stock", "state": "starting", "detail": "", "since": None}
    assert started.headers["access-control-allow-origin"] == WEB
    assert texts == ["**stock** was stopped", "**stock** was started"]


@pytest.mark.parametrize(
    "path", [PATH, f"{PATH}/live", f"{PATH}/stock/stop", f"{PATH}/stock/start"]
)
async def test_a_preflight_of_such_a_page_is_answered(opened, path):
    """With the methods and headers that the API needs."""
    preflight = {
        "origin": WEB,
        **SITE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-bff-console",
    }
    async with opened() as (_, http):
        found = await http.request("OPTIONS", path, headers=preflight)

    assert (found.status_code, found.content) == (204, b"")
    assert found.headers["access-control-allow-origin"] == WEB
    assert found.headers["access-control-allow-methods"] == "GET, POST"
    assert found.headers["access-control-allow-headers"] == "Content-Type, x-bff-console"


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8002", "http://localhost", "https://localhost:8001", "null", "",
        "http://localhost:80011", "http://evil.example:8001", "http://localhost:8001.evil.example",
        "http://LOCALHOST:8001", "http://localhost:8001/", "http://[::1]:8001", "localhost:8001",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("GET", f"{PATH}/live"), ("POST", f"{PATH}/stock/stop"), ("OPTIONS", PATH)],
)
async def test_a_page_of_another_origin_is_refused(opened, run, method, path, origin):
    """Only the exact origins of the run's gateways are allowed."""
    headers = {"origin": origin, **SITE, **CHANGE, "access-control-request-method": "POST"}
    async with opened() as (_, http):
        found = await http.request(method, path, headers=headers)

    assert found.status_code == 403
    assert not [name for name in found.headers if name.startswith("access-control")]
    assert run.infos["stock"].state == "running"


OTHER_PATHS = [
    ("GET", "/console"), ("GET", "/console/api/installation"), ("GET", "/console/api/live"),
    ("GET", "/console/api/overview"), ("GET", "/console/api/requests"),
    ("GET", "/console/api/logs"), ("GET", "/console/api/faults"),
    ("GET", "/console/api/servicesx"), ("GET", "/console/api/"),
    ("POST", "/console/api/processes/stock/stop"), ("PUT", "/console/api/faults/stock"),
    ("POST", "/console/api/gateways/web/send"), ("POST", "/console/api/logout"),
    ("OPTIONS", "/console/api/processes/stock/stop"), ("OPTIONS", "/console/api/installation"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), OTHER_PATHS)
async def test_all_else_of_the_console_is_for_its_own_pages(opened, run, method, path):
    """Pages of gateways may not read requests, logs and sessions, nor change anything else."""
    headers = {"origin": WEB, **SITE, **CHANGE, "access-control-request-method": "POST"}
    async with opened() as (_, http):
        found = await http.request(method, path, headers=headers, content=b"{}")

    assert found.status_code == 403
    assert not [name for name in found.headers if name.startswith("access-control")]
    assert run.infos["stock"].state == "running"


async def test_no_other_area_has_a_path_of_the_services(opened):
    """Else a route of it would be open to pages of gateways."""
    async with opened() as (console, _):
        paths = {one.path: area for area in AREAS for one in area.routes(console)}

    open_paths = {path for path in paths if path.startswith("/services")}
    assert open_paths == {
        "/services", "/services/live", "/services/{name}/start", "/services/{name}/stop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "headers", "status", "title"),
    [
        (f"{PATH}/nonsense/stop", CHANGE, 404, "There is no process 'nonsense'"),
        (f"{PATH}/web/stop", CHANGE, 404, "web is a gateway"),
        (f"{PATH}/stock/stop", {}, 403, "This request may come from another site"),
        (f"{PATH}/stock/stop", {"content-type": "application/json"}, 403, "This request may come"),
        (f"{PATH}/stock", CHANGE, 404, "No such address"),
        (PATH, CHANGE, 405, "This method is not allowed"),
    ],
)
async def test_a_page_of_a_gateway_can_read_why_it_is_refused(
    opened, run, path, headers, *, status, title
):
    """Problems have the permission of CORS, too."""
    async with opened() as (_, http):
        found = await http.post(path, headers={"origin": WEB, **SITE, **headers})

    assert found.status_code == status
    assert found.json()["title"].startswith(title)
    assert found.headers["access-control-allow-origin"] == WEB
    assert run.infos["stock"].state == run.infos["web"].state == "running"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000"])
async def test_another_name_of_this_machine_is_refused(opened, host):
    """A site whose name resolves to this machine could else send any `Origin` of its own."""
    async with opened() as (_, http):
        found = await http.get(PATH, headers={"origin": WEB, **SITE, "host": host})

    assert found.status_code == 403


async def test_the_pages_of_the_console_may_use_it_as_well(opened):
    """Without an `Origin` there is no permission."""
    async with opened() as (_, http):
        found = await http.get(PATH, headers={"sec-fetch-site": "same-origin"})

    assert found.status_code == 200
    assert not [name for name in found.headers if name.startswith("access-control")]


async def test_without_bff_dev_there_are_no_services(pages):
    """A gateway's own console starts no processes."""
    async with browser(pages.app()) as http:
        found = await http.get(PATH)
        page = await http.get(PATH, headers={"origin": WEB, **SITE})

    assert (found.status_code, page.status_code) == (501, 403)
    assert (
        found.json()["detail"] == "Services can be started and stopped where `bff dev` runs them."
    )


async def states(frames) -> list[str]:
    """Return the states in the next message of a stream."""
    frame = await anext(frames)
    return [f"{one['name']} {one['state']}" for one in json.loads(frame[6:])["services"]]


@pytest.mark.virtual_time
async def test_the_stream_has_all_services_at_once_and_after_each_change(opened, run):
    """Within 0.5 s, and no more than that."""
    async with opened() as (console, _):
        watch, loop = ServiceWatch(console.run), asyncio.get_running_loop()
        frames = watch.frames(console.background)
        assert await anext(frames) == b"retry: 1000\n\n"
        first = await states(frames)
        loop.call_later(5, run.set_state, "stock", "failed", 1000.0)
        began = loop.time()
        second = await states(frames)
        took = loop.time() - began - 5
        loop.call_later(20, run.set_state, "reviews", "starting")
        idle = [await anext(frames), await anext(frames)]
        await frames.aclose()

    assert first == ["reviews running", "stock running"]
    assert second == ["reviews running", "stock stopped"]
    assert 0 <= took <= 0.5
    assert idle[0] == b":\n\n"
    assert b'"starting"' in idle[1]
    assert watch.states().services[1].detail == "ended by itself"


async def test_faults_of_a_service_are_in_its_state(opened, run):
    """They are known from what the console sets and reads, and end with the process."""
    async with opened() as (console, _):
        console.run.effects["stock"] = "fails 50 % of its requests"
        watch = ServiceWatch(console.run)
        faulty = watch.state("stock")
        run.set_state("stock", "stopped")
        stopped = watch.state("stock")
        run.set_state("stock", "running")
        running_again = watch.state("stock")

    assert (faulty.state, faulty.detail) == ("faulty", "fails 50 % of its requests")
    assert (stopped.state, stopped.detail) == ("stopped", "")
    assert running_again.state == "running"
