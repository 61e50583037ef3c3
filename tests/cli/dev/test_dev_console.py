"""The console of `bff dev` over real processes: faults, restarts, two runs at once."""

import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import closing, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from bff_core.cli.dev.console_server import opened_console
from bff_core.cli.ports import PortUnusable
from tests.cli.dev.test_terminal import Project

PAGE = {"x-bff-console": "1", "content-type": "application/json"}
SECOND = 1.0


class Browser:
    """A browser at the console of a run."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str):
        """Read from the API."""
        answer = httpx.get(f"{self.address}/api/{path}", trust_env=False, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def answer(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to the API as a page does."""
        url = f"{self.address}/api/{path}"
        options = {"headers": PAGE, "json": body or {}, "trust_env": False, "timeout": 20}
        return httpx.request(method, url, **options)

    def send(self, method: str, path: str, body: object = None):
        """Change something by the API."""
        answer = self.answer(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, path: str, is_so, seconds: float = 20.0) -> float:
        """Read from the API until something is so; return how long it took."""
        started = time.monotonic()
        while not is_so(found := self.get(path)):
            assert time.monotonic() - started < seconds, found
            time.sleep(0.05)
        return time.monotonic() - started


class Stream:
    """The messages of an open live stream."""

    def __init__(self, address: str, path: str = "live", **headers: str) -> None:
        self.messages: list[dict] = []
        url, options = f"{address}/api/{path}", {"headers": headers, "trust_env": False}
        self.reader = threading.Thread(target=self._read, args=(url, options), daemon=True)
        self.reader.start()

    def _read(self, url: str, options: dict) -> None:
        with (
            suppress(httpx.TransportError),  # the run has ended
            httpx.stream("GET", url, timeout=60, **options) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    self.messages.append(json.loads(line.removeprefix("data: ")))

    def until(self, is_so, seconds: float = 20.0) -> None:
        """Wait until a message is so."""
        limit = time.monotonic() + seconds
        while not any(map(is_so, list(self.messages))):
            assert time.monotonic() < limit, self.messages[-3:]
            time.sleep(0.05)

    def until_state(self, state: str) -> float:
        """Wait for a service that is in a state; return how long that took."""
        began = time.monotonic()
        self.until(lambda one: one["services"][0]["state"] == state)
        self.messages.clear()
        return time.monotonic() - began


def origin_of(project: Project) -> dict[str, str]:
    """Return the headers of a page of the gateway."""
    return {"origin": project.url.removesuffix("/page"), "sec-fetch-site": "same-site"}


@pytest.fixture(scope="module")
def project(start_for_all, free_ports, tmp_path_factory) -> Project:
    """Run a project of one gateway and one mock, on a terminal without colours."""
    ports = free_ports(3)
    project = Project(tmp_path_factory.mktemp("shop"), ports)
    command = (sys.executable, "-m", "bff_core", "dev", f"--console-port={ports[2]}")
    environ = {"BFF_LOG_LEVEL": "info", "TERM": "xterm", "NO_COLOR": "1"}
    project.run = start_for_all(*command, folder=project.folder, on_terminal=True, **environ)
    project.run.until("event=run.ready")
    return project


@pytest.fixture(scope="module")
def browser(project) -> Browser:
    """Open the console of the run."""
    return Browser(project.console)


def test_the_first_line_has_the_address(project):
    """It is a line of key=value words, without colours, and the pages are served there."""
    first = project.run.text.splitlines()[0]
    page = httpx.get(project.console, trust_env=False)

    assert first.partition(" ")[2] == f"event=run.console url={project.console}"
    assert "\x1b" not in project.run.output
    assert page.status_code == 200
    assert 'id="app"' in page.text


def test_processes_that_take_faults(browser):
    """A mock does; a gateway does not."""
    path = "installation"
    found = {"catalog": True, "mobile": False}
    browser.until(
        path, lambda page: {p["name"]: p["takes_faults"] for p in page["processes"]} == found
    )


def test_a_service_that_is_killed_is_shown(project, browser):
    """At once to pages of gateways, and by its card; it is started again by the console."""
    row = project.run.until("program=catalog url=")
    stream = Stream(browser.address, "services/live", **origin_of(project))
    stream.until_state("running")
    os.kill(int(row.partition("pid=")[2].split()[0]), signal.SIGKILL)
    reported = stream.until_state("stopped")
    seconds = browser.until("faults", lambda page: page["cards"][0]["state"] == "failed")
    without = project.page()["title"]
    answered = browser.send("POST", "processes/catalog/start")
    browser.until("faults", lambda page: page["cards"][0]["state"] == "running")

    assert reported < SECOND / 2
    assert seconds < SECOND
    assert without is None
    assert answered["state"] == "starting"


def test_a_service_is_stopped_and_started_within_a_second(project, browser):
    """The screen does without the service, and the run goes on."""
    stopped = browser.send("POST", "processes/catalog/stop")
    to_stop = browser.until("faults", lambda page: page["cards"][0]["state"] == "stopped")
    without = project.page()["title"]
    since = browser.get("faults")["cards"][0]["since"]
    browser.send("POST", "processes/catalog/start")
    to_start = browser.until("faults", lambda page: page["cards"][0]["state"] == "running")

    assert stopped["state"] == "stopped"
    assert to_stop < SECOND
    assert without is None
    assert abs(since - time.time()) < 20
    assert to_start < SECOND
    assert project.page()["title"] == "Tent"


def test_a_page_of_a_gateway_learns_at_once_what_a_service_does(project, browser):
    """It is stopped by the page of faults, and started by the page of the gateway."""
    origin = origin_of(project)
    stream = Stream(browser.address, "services/live", **origin)
    stream.until_state("running")
    browser.send("POST", "processes/catalog/stop")
    stopped = stream.until_state("stopped")
    start = f"{browser.address}/api/services/catalog/start"
    started = httpx.post(start, headers={**PAGE, **origin}, trust_env=False)
    stream.until_state("running")

    assert stopped < SECOND / 2
    assert started.json()["state"] == "starting"
    assert started.headers["access-control-allow-origin"] == origin["origin"]


def test_the_watched_screen_degrades_with_its_service(project, browser):
    """The page of faults shows what the gateway's clients get."""

    def has_state(state: str):
        return lambda page: [one["state"] for one in page["clients"]] == [state]

    browser.until("faults", has_state("complete"))
    browser.send("POST", "processes/catalog/stop")
    seconds = browser.until("faults", has_state("degraded"))
    page = browser.get("faults")
    browser.send("POST", "processes/catalog/start")
    browser.until("faults", has_state("complete"))

    assert seconds < 3 * SECOND
    assert (page["screen"], page["clients"][0]["route"]) == ("Page", "GET /page")
    assert (
        page["headline"]["text"]
        == "**catalog** is stopped: without cached replies Page is degraded for mobile."
    )


def test_a_live_stream_outlives_reloads_of_gateways(project, browser):
    """Its pages go on with the new process, and lines of both are in the logs."""
    stream = Stream(browser.address)
    project.page()
    stream.until(lambda one: one.get("requests") or one.get("logs"))
    before = browser.get("installation")["gateways"][0]["workers"][0]["pid"]
    project.save("bffs/shared.py", "GREETING = 'bonjour'\n")
    project.run.until("mobile restarted in")
    answered = httpx.get(project.url, trust_env=False)
    request_id = answered.headers["x-request-id"]
    browser.until("installation", lambda one: one["gateways"][0]["health"] == "ok")
    workers = browser.get("installation")["gateways"][0]["workers"]
    lines = browser.get(f"logs?process=mobile&request={request_id}")["lines"]
    stream.until(lambda one: any(log["request_id"] == request_id for log in one["logs"]))

    assert answered.json()["greeting"] == "bonjour"
    assert stream.reader.is_alive()
    assert [one["pid"] for one in workers] != [before]
    assert len(workers) == 1
    assert [line["text"] for line in lines] == ["GET /page 200"]


def test_the_console_works_while_gateways_fail(start, free_ports, tmp_path):
    """A gateway that is stopped is shown as such, and what needs it says what to do."""
    ports = free_ports(3)
    project = Project(tmp_path, ports)
    environ = {"CONSOLE_PORT": str(ports[2]), "TERM": "xterm", "BFF_LOG_LEVEL": "info"}
    command = (sys.executable, "-m", "bff_core", "dev")
    run = start(*command, folder=tmp_path, on_terminal=True, **environ)
    run.until("quit")
    browser, stream = Browser(project.console), Stream(project.console)
    wanted = {"method": "GET", "path": "/page?x=1"}
    sent = browser.send("POST", "gateways/mobile/send", wanted)
    document = browser.get("gateways/mobile/openapi.json")
    browser.send("POST", "processes/mobile/stop")
    browser.until("installation", lambda one: one["gateways"][0]["health"] == "stopped")
    absent = browser.answer("GET", "gateways/mobile/openapi.json")
    states = {one["name"]: one["state"] for one in browser.get("installation")["processes"]}
    lines = browser.get("logs?process=mobile")["lines"]
    run.press("q")

    assert (sent["status"], json.loads(sent["text"])["title"]) == (200, "Tent")
    assert "/page" in document["paths"]
    assert (absent.status_code, absent.json()["title"]) == (503, "mobile does not answer")
    assert states == {"catalog": "running", "mobile": "stopped"}
    assert lines
    assert run.wait() == 0
    stream.reader.join(5)
    assert not stream.reader.is_alive()


def test_a_named_port_that_is_taken_is_refused():
    """The message says what to do; `bff` prints it as a line."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortUnusable) as raised:
            opened_console({"CONSOLE_PORT": str(port)}, set())

    assert str(raised.value) == (
        f"port {port} is busy: free it or choose another with CONSOLE_PORT"
    )


def test_two_runs_have_two_consoles():
    """Without a named port the next one that is free is taken, and none of the run's own."""
    taken = {8000, 8001}
    with closing(opened_console({}, taken)) as first, closing(opened_console({}, taken)) as second:
        ports = [urlsplit(one.address).port for one in (first, second)]

    assert 8001 < ports[0] < ports[1]
    assert first.address == f"http://localhost:{ports[0]}/console"


@pytest.mark.parametrize(
    ("port", "complaint"),
    [
        ("x", "CONSOLE_PORT=x is no port"),
        ("70000", "CONSOLE_PORT=70000 is no port"),
        ("8001", "port 8001 is that of a program, too"),
    ],
)
def test_a_wrong_port_is_refused(port, complaint):
    """The message names the variable."""
    with pytest.raises(PortUnusable, match=complaint):
        opened_console({"CONSOLE_PORT": port}, {8001})
