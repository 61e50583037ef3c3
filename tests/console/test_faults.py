"""The API of faults, processes and logs over real mock services."""

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn

from bff_core.console.development import Development
from bff_core.console.faults.control import COUNTS
from bff_core.console.faults.headline import faults_headline
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import ClientView, FaultCard, ProcessInfo
from bff_core.console.program_client import ProgramClient
from bff_core.console.routes import faults as faults_api
from bff_core.console.sources import GatewaySource
from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService
from bff_core.observe.request_records import RequestRecords
from tests.console.conftest import CHANGE, browser
from tests.console.records import record
from tests.mocks.contract import document
from tests.server.talking import until

ROOT = Path(__file__).parents[2]
NO_TEXT = b'{"faults": [{"kind": "\xff"}], "detail": "\xff"}'
DRIP = {"kind": "drip", "route": "GET /reviews", "rate": 0.2}


@pytest.fixture(scope="module")
def mock_port():
    """Run a mock service; return its port."""
    command = (sys.executable, "-m", "services_mock", "reviews", "--port", "0")
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        yield int(process.stderr.readline().rsplit(":", 1)[1])
        process.terminate()


@dataclass
class Run:
    """A run of `bff dev` without processes of its own: the mock, one without faults, a gateway."""

    infos: dict[str, ProcessInfo]
    logs: LogRing = field(default_factory=LogRing)

    def set_state(self, name: str, state: str) -> None:
        """Let a process be in a state."""
        self.infos[name].state = state


@pytest.fixture
def run(mock_port) -> Run:
    """Return a run whose mock has no faults."""
    of_mock(mock_port, "DELETE")
    rows = [("reviews", "service", mock_port), ("maps", "service", 1), ("web", "gateway", 1)]
    return Run({n: ProcessInfo(name=n, kind=k, port=p, state="running") for n, k, p in rows})


@pytest.fixture
def opened(pages, run):
    """Open a console of the run, and a client of it."""

    @asynccontextmanager
    async def open_console(*sources: GatewaySource):
        console, client = pages.console(sources), ProgramClient()
        console.run = Development(
            logs=run.logs,
            client=client,
            processes=lambda: list(run.infos.values()),
            start=lambda name: run.set_state(name, "starting"),
            stop=lambda name: run.set_state(name, "stopped"),
        )
        app = pages.app(console)
        async with browser(app) as http:
            yield console, http
        await app.aclose()
        await client.aclose()

    return open_console


async def put(http, service: str = "reviews", **faults: float) -> httpx.Response:
    """Set the faults of a service as a page does."""
    return await http.put(f"/console/api/faults/{service}", json=faults, headers=CHANGE)


def call(port: int) -> int:
    """Call the mock as a gateway does; return the status."""
    return httpx.get(f"http://127.0.0.1:{port}/reviews", trust_env=False).status_code


def of_mock(port: int, method: str = "GET", body: dict | None = None) -> list[dict]:
    """Use the control route of the mock; return the faults that it reports, without counts."""
    url = f"http://127.0.0.1:{port}/__faults__"
    with httpx.Client(trust_env=False) as http:
        if method != "GET":
            http.request(method, url, json=body).raise_for_status()
        faults = http.get(url).json()["faults"]
    return [{k: v for k, v in one.items() if k not in COUNTS} for one in faults]


async def test_sliders_set_the_faults_of_a_mock(opened, mock_port):
    """Each of the four kinds is set on all routes, and 0 removes it."""
    async with opened() as (_, http):
        card = (await put(http, latency=1.5, errors=0.25, hang=0.1, garbage=1.0)).json()
        faults = of_mock(mock_port)
        less = (await put(http, errors=1.0)).json()

    assert [card[name] for name in ("latency", "errors", "hang", "garbage")] == [1.5, 0.25, 0.1, 1]
    assert [(one["kind"], one["route"], one["rate"]) for one in faults] == [
        ("latency", "*", 1.0), ("error", "*", 0.25), ("hang", "*", 0.1), ("garbage", "*", 1.0)
    ]  # fmt: skip
    assert faults[0]["distribution"] == {"name": "constant", "seconds": 1.5}
    assert [less[name] for name in ("latency", "errors", "hang", "garbage")] == [0, 1, 0, 0]


async def test_a_change_by_sliders_is_one_event(opened, monkeypatch):
    """It names the faults that are set at last, however often a slider sent a value."""
    monkeypatch.setattr(faults_api, "REPORT_SECONDS", 0.5)
    texts = []
    async with opened() as (page, http):
        for changes in ((0.1, 0.2, 0.4), (0.0,)):
            for errors in changes:
                await put(http, errors=errors)
            await until(lambda: len(page.state.actions) > len(texts))
            texts.append([(one.state, one.text, one.actor) for one in await page.actions()])

    assert texts[0] == [("missing", "**reviews** fails 40 % of its requests", "developer")]
    assert texts[1][1:] == [("ok", "**reviews** has no faults any more", "developer")]


async def test_pages_of_gateways_see_faults_as_a_state(opened, mock_port):
    """Those that the console sets at once, and those that were set elsewhere."""

    async def states(http) -> dict[str, tuple[str, str]]:
        found = (await http.get("/console/api/services")).json()["services"]
        return {one["name"]: (one["state"], one["detail"]) for one in found}

    async with opened() as (page, http):
        await put(http, errors=0.25)
        effects = dict(page.run.effects)
        broken = await states(http)
        of_mock(mock_port, "PUT", {"faults": [DRIP]})
        dripping = await states(http)
        of_mock(mock_port, "DELETE")
        fine = await states(http)

    assert effects == {"reviews": "fails 25 % of its requests"}
    assert broken == {
        "reviews": ("faulty", "fails 25 % of its requests"),
        "maps": ("running", ""),
    }
    assert dripping["reviews"] == (
        "faulty",
        "has other faults (drip on GET /reviews, 20 %)",
    )
    assert fine["reviews"] == ("running", "")


async def test_an_unknown_member_is_refused(opened):
    """A misspelt name must not reset what is set."""
    async with opened() as (_, http):
        refused = await put(http, error=1.0)

    assert refused.status_code == 422
    assert "error" in refused.text


async def test_faults_of_other_kinds_stay(opened, mock_port):
    """What a slider can't show is listed in words, and a slider leaves it as it is."""
    async with opened() as (_, http):
        error = {"kind": "error", "status": 503, "rate": 0.5}
        once = {"kind": "error", "status": 404, "times": 1}
        slow = {"kind": "latency", "distribution": {"name": "normal", "mean": 1, "stddev": 1}}
        body = {"faults": [DRIP, error, once, slow]}
        of_mock(mock_port, "PUT", body)
        before = (await http.get("/console/api/faults")).json()["cards"][0]
        after = (await put(http, latency=2.0, errors=0.75)).json()
        faults = of_mock(mock_port)

    assert (before["latency"], before["errors"]) == (0, 0.5)
    assert before["others"] == ["drip on GET /reviews, 20 %", "error, 1 times", "latency"]
    assert after["others"] == before["others"]
    assert [one["kind"] for one in faults] == ["drip", "error", "latency", "latency", "error"]
    assert (faults[-1]["status"], faults[-1]["rate"]) == (503, 0.75)


async def test_other_kinds_hit_each_call(opened, mock_port):
    """A long tail of latencies, the flavour of garbage, and kinds without a slider."""
    async with opened() as (_, http):
        kinds = ["drip", "truncated"]
        first = await put(http, latency=0.4, spread=1.0, garbage=0.5, flavour="html", kinds=kinds)
        stays = await put(http, garbage=1.0)
        faults = of_mock(mock_port)
        last = await put(http, kinds=["drip"])
        unknown = await put(http, kinds=["nonsense"])

    card = first.json()
    assert (card["latency"], card["spread"], card["flavour"]) == (0.4, 1.0, "html")
    assert (card["kinds"], card["others"]) == (kinds, [])
    assert (stays.json()["kinds"], stays.json()["flavour"]) == (kinds, "html")
    assert [one["kind"] for one in faults] == ["garbage", *kinds]
    assert (last.json()["kinds"], last.json()["garbage"]) == (["drip"], 0)
    assert (unknown.status_code, of_mock(mock_port)[0]["kind"]) == (422, "drip")
    assert "nonsense" in unknown.json()["detail"]


async def test_hits_are_counted_over_changes(opened, mock_port):
    """The mock forgets them when its faults are set; a reset begins again."""
    async with opened() as (_, http):
        await put(http, errors=1.0)
        call(mock_port)
        first = (await http.get("/console/api/faults")).json()["cards"][0]
        await put(http, errors=1.0)
        call(mock_port)
        second = (await http.get("/console/api/faults")).json()["cards"][0]
        reset = (await http.request("DELETE", "/console/api/faults/reviews", headers=CHANGE)).json()

    assert [(one["hits"], one["calls"]) for one in (first, second)] == [(1, 1), (2, 2)]
    assert (reset["hits"], reset["calls"], reset["errors"]) == (0, 0, 0)
    assert of_mock(mock_port) == []


async def test_the_page_begins_with_what_is_broken(opened, run):
    """Services without a control route, and those that are stopped, take no faults."""
    async with opened() as (_, http):
        fine = (await http.get("/console/api/faults")).json()
        await put(http, errors=0.5)
        run.set_state("maps", "stopped")
        page = (await http.get("/console/api/faults")).json()

    assert fine["headline"]["text"] == "No faults: all 2 services answer as usual."
    assert page["headline"] == {
        "state": "fallback",
        "text": "**reviews** fails 50 % of its requests, **maps** is stopped.",
        "links": [],
    }
    assert [(one["service"], one["takes_faults"], one["state"]) for one in page["cards"]] == [
        ("reviews", True, "running"),
        ("maps", False, "stopped"),
    ]


@pytest.mark.parametrize(
    ("service", "faults", "status", "detail"),
    [
        ("nonsense", {}, 404, "`bff dev` runs: reviews, maps, web."),
        ("web", {}, 404, "This is for services only: choose reviews, maps."),
        ("maps", {}, 409, "maps has no control route /__faults__"),
        ("reviews", {"errors": 1.1}, 422, "Give 0 for none, or 0.001 to 1, not 1.1."),
        ("reviews", {"hang": -0.1}, 422, "not -0.1."),
        ("reviews", {"hang": 1e-9}, 422, "Give 0 for none, or 0.001 to 1, not 1e-09."),
        ("reviews", {"latency": 3601}, 422, "Give 0 for none, or 0.001 to 3600 s, not 3601."),
        ("reviews", {"latency": 1e-9}, 422, "not 1e-09."),
        ("reviews", {"latency": 1e300}, 422, "not 1e+300."),
        ("reviews", {"spread": 6}, 422, "Give 0 for none, or 0.001 to 5, not 6."),
        ("reviews", {"garbage": 1, "flavour": "x"}, 422, "Invalid enum value 'x'"),
        ("reviews", {"latency": "fast"}, 422, "Expected `float`"),
    ],
)
async def test_what_can_not_be_set_is_a_problem(
    opened, mock_port, service, faults, *, status, detail
):
    """It says what to do, and no fault is set."""
    async with opened() as (_, http):
        answer = await put(http, service, **faults)

    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert of_mock(mock_port) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_what_is_no_number_is_refused(opened, mock_port, number):
    """JSON has no such numbers."""
    async with opened() as (_, http):
        headers = {**CHANGE, "content-type": "application/json"}
        url = "/console/api/faults/reviews"
        answer = await http.put(url, content=f'{{"hang": {number}}}', headers=headers)

    assert (answer.status_code, of_mock(mock_port)) == (422, [])


async def test_sliders_work_on_a_mock_of_a_contract(opened, run):
    """Mocks that `bff add service` makes take what a card offers for them, and count it."""
    mock = MockService(parse(document()))
    server = uvicorn.Server(uvicorn.Config(mock, log_level="error"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    port = listening.getsockname()[1]
    run.infos["maps"].port = port
    async with opened() as (_, http):
        wanted = {"latency": 0.001, "spread": 1, "errors": 1.0, "hang": 0.1, "garbage": 0.1}
        card = (await put(http, "maps", **wanted, flavour="html", kinds=["unavailable"])).json()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.get("/pets")
        met = (await http.get("/console/api/faults")).json()["cards"][1]
        other = await put(http, "maps", kinds=["drip"])
    server.should_exit = True
    await serving

    assert (card["takes_faults"], card["offers"], card["kinds"]) == (
        *(True, ["unavailable"], ["unavailable"]),
    )
    assert {name: card[name] for name in wanted} == wanted
    assert answer.status_code == 500
    assert (met["calls"], met["errors"]) == (1, 1.0)
    assert (other.status_code, "drip" in other.json()["detail"]) == (422, True)


@pytest.mark.parametrize("body", [NO_TEXT, b"[" * 100_000, b"no JSON", b"[]"])
async def test_any_answer_of_another_program_is_no_fault_of_the_console(opened, run, body):
    """Its card says that it takes no faults, and its refusal is a problem with a sentence."""

    async def answered(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = "422 Unprocessable" if head.startswith("PUT") else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answered, "127.0.0.1", 0) as server:
        run.infos["maps"].port = server.sockets[0].getsockname()[1]
        async with opened() as (_, http):
            page = await http.get("/console/api/faults")
            change = await put(http, "maps", errors=1.0)

    assert [one["takes_faults"] for one in page.json()["cards"]] == [True, False]
    assert change.status_code in {409, 422}


async def test_a_stopped_service_can_not_get_faults(opened, run):
    """The problem says that it has to be started first."""
    async with opened() as (_, http):
        run.set_state("reviews", "stopped")
        answer = await put(http, errors=1.0)

    assert answer.status_code == 409
    assert answer.json()["detail"] == "reviews is stopped: start it first."


async def test_processes_are_stopped_and_started(opened):
    """The answer has the new state, and events name who did it."""
    async with opened() as (page, http):
        states = []
        for change in ("stop", "start"):
            url = f"/console/api/processes/reviews/{change}"
            states.append((await http.post(url, json={}, headers=CHANGE)).json()["state"])
        unknown = await http.post("/console/api/processes/x/stop", json={}, headers=CHANGE)
        forged = await http.post("/console/api/processes/reviews/stop", json={})

    assert states == ["stopped", "starting"]
    assert [(one.state, one.text) for one in await page.actions()] == [
        ("missing", "**reviews** was stopped"), ("ok", "**reviews** was started")
    ]  # fmt: skip
    assert (unknown.status_code, forged.status_code) == (404, 403)


async def next_cards(frames) -> list[dict]:
    """Return the cards of the next live message that has some."""
    async for frame in frames:
        data = frame.partition(b"data: ")[2]
        if data and (cards := json.loads(data).get("faults")):
            return cards
    raise AssertionError("the stream ended")


async def test_live_pages_get_cards_that_changed(opened, run):
    """A change by any page, or of a process, is sent once."""
    async with opened() as (page, http):
        await http.get("/console/api/faults")
        frames = page.live.frames()
        first = await next_cards(frames)
        await put(http, errors=1.0)
        second = await next_cards(frames)
        run.set_state("reviews", "failed")
        third = await next_cards(frames)
        await frames.aclose()
        await page.live.aclose()

    assert [cards[0].get("errors", 0) for cards in (first, second)] == [0, 1]
    assert [one["state"] for one in third] == ["failed", "running"]


async def test_logs_are_read_and_filtered(opened, run):
    """Filters are those of the address; a wrong one is a problem."""
    async with opened() as (_, http):
        run.logs.add("bff dev", "waiting for web")
        run.logs.add("reviews", "ERROR no disk")
        run.logs.add("web", '{"event": "policies.changed", "level": "info", "request_id": "4f"}')
        queries = (
            "",
            "process=web",
            "process=bff dev",
            "level=error",
            "text=DISK",
            "request=4f",
            "limit=1",
        )
        found = [(await http.get(f"/console/api/logs?{one}")).json()["lines"] for one in queries]
        wrong = ("process=x", "level=loud", "limit=0", "limit=2001", "limit=x")
        statuses = [(await http.get(f"/console/api/logs?{one}")).status_code for one in wrong]

    assert [[line["process"] for line in lines] for lines in found] == [
        *(["bff dev", "reviews", "web"], ["web"], ["bff dev"], ["reviews"]),
        *(["reviews"], ["web"], ["web"]),
    ]
    assert statuses == [404, 422, 422, 422, 422]


async def test_a_request_has_its_lines(opened, run):
    """The lines of all processes that name its id, and none of other requests."""
    records = RequestRecords()
    records.add(record(request_id="4f00"))
    async with opened(GatewaySource(name="web", commands=records.commands())) as (_, http):
        line = '{"event": "%s", "level": "info", "request_id": "%s"}'
        run.logs.add("web", line % ("policies.changed", "4f00"))
        run.logs.add("web", line % ("policies.refused", "5a00"))
        run.logs.add("reviews", "ERROR no disk, request 4f00")
        detail = (await http.get("/console/api/requests/4f00")).json()

    assert [(one["process"], one["text"]) for one in detail["logs"]] == [
        ("web", "policies.changed"),
        ("reviews", "ERROR no disk, request 4f00"),
    ]


async def test_in_a_run_an_unknown_address_is_unknown(opened):
    """The areas are there: it must not say that they are absent."""
    async with opened() as (_, http):
        answers = [await http.get(f"/console/api/{one}") for one in ("faults/a/b", "logs/x")]

    assert [one.status_code for one in answers] == [404, 404]


async def test_without_a_run_the_areas_say_where_they_are(pages):
    """In production there are neither faults nor processes to stop."""
    async with browser(pages.app()) as http:
        answers = [await http.get(f"/console/api/{one}") for one in ("faults", "logs")]

    assert [one.status_code for one in answers] == [501, 501]
    assert "bff dev" in answers[0].json()["detail"]


def test_the_headline_names_who_suffers():
    """A fault that no client notices is said to have no effect."""
    card = FaultCard(service="reviews", port=1, state="running", takes_faults=True, latency=0.4)

    def headline(*states: str) -> str:
        clients = [
            ClientView(
                gateway=f"g{place}", client="", route="GET /home", status=200, size=1, calls=1,
                received=1, p95=None, state=state,
            )
            for place, state in enumerate(states)
        ]  # fmt: skip
        return faults_headline([card], clients, "Home").text

    said = "**reviews** is 0.4 s slower"
    assert headline("complete", "complete") == f"{said}: Home is still complete for all clients."
    said += ": without cached replies Home"
    assert headline(*["degraded"] * 3) == f"{said} is degraded for g0, g1 and g2."
    assert headline("failed", "degraded") == f"{said} fails for g0 and is degraded for g1."


@pytest.mark.parametrize(
    ("services", "words"), [(1, "the service answers"), (2, "all 2 services answer")]
)
def test_without_faults_all_answer_as_usual(services, words):
    """Also a project with one service."""
    cards = [
        FaultCard(service=f"s{n}", port=n, state="running", takes_faults=True)
        for n in range(services)
    ]

    assert faults_headline(cards, [], "Home").text == f"No faults: {words} as usual."
