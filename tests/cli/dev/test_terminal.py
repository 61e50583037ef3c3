"""`bff dev` of a small project on a terminal: requests, keys, and reload on save."""

import os
import re
import sys
import threading
from pathlib import Path

import httpx
import pytest

PYPROJECT = """
[tool.bff.gateways.mobile]
app = "bffs.mobile.app:app"
port = {port}
about = "REST"

[tool.bff.services.catalog]
command = "python -m mocks.catalog --port {{port}}"
port = {mock}
"""

APP = """
from bff_core import ANYONE, Composition, Upstream, Views, gateway, optional
from bffs.shared import GREETING


class Catalog(Upstream):
    async def title(self) -> str:
        return await self.get("/title", str)


class Page(Composition):
    catalog: Catalog

    @optional
    async def title(self) -> str:
        return await self.catalog.title()


views = Views(access=ANYONE)


@views.get("/page")
async def page(page: Page) -> dict[str, object]:
    return {"greeting": GREETING, "title": await page.title()}


def app():
    return gateway("mobile", faces=[views])
"""

MOCK = """
import argparse, json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
FAULTS = []


class Catalog(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(500 if FAULTS and not self.path.startswith("/_") else 200)

    def do_PUT(self):
        length = int(self.headers["content-length"])
        FAULTS[:] = json.loads(self.rfile.read(length))["faults"]
        self.answer(200)

    def answer(self, status):
        body = b'"Tent"'
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Catalog).serve_forever()
"""


class Project:
    """A project in a folder, and the run of it."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder = folder
        self.url = f"http://localhost:{ports[0]}/page"
        self.console = f"http://localhost:{ports[2]}/console"
        for path, text in {
            "pyproject.toml": PYPROJECT.format(port=ports[0], mock=ports[1]),
            ".env": "BFF_LOG_LEVEL=warning\n",
            "bffs/__init__.py": "",
            "bffs/shared.py": "GREETING = 'hello'\n",
            "bffs/mobile/app.py": APP,
            "mocks/catalog.py": MOCK,
        }.items():
            self.save(path, text)
        self.run = None

    def save(self, path: str, text: str) -> None:
        """Save a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def page(self) -> dict:
        """Load the page."""
        return httpx.get(self.url, trust_env=False, timeout=20).json()


@pytest.fixture(scope="module")
def project(start_for_all, free_ports, tmp_path_factory):
    """Run a project of one gateway and one mock."""
    ports = free_ports(3)
    project = Project(tmp_path_factory.mktemp("shop"), ports)
    command = (sys.executable, "-m", "bff_core", "dev")
    options = {"TERM": "xterm", "BROWSER": "echo opening %s", "CONSOLE_PORT": str(ports[2])}
    project.run = start_for_all(*command, folder=project.folder, on_terminal=True, **options)
    project.run.until("quit")
    return project


def test_a_request_is_shown_with_its_parts(project):
    """The line of the request, and below it the part with its service."""
    assert project.page() == {"greeting": "hello", "title": "Tent"}
    project.run.until_matches(r"└ ✓ title +catalog +[\d.,]+ .*\n")

    assert re.search(r"mobile   GET /page +200  ✓ complete .* 1 call ", project.run.text)


def test_saved_code_serves_and_no_request_fails(project):
    """Requests that are sent during the reload are answered, by the old code or the new."""
    answers, is_over = [], threading.Event()

    def load() -> None:
        while not is_over.is_set():
            answers.append(project.page()["greeting"])

    loading = threading.Thread(target=load)
    loading.start()
    project.save("bffs/shared.py", "GREETING = 'bonjour'\n")
    project.run.until("bffs/shared.py saved, mobile restarted in")
    is_over.set()
    loading.join()

    assert project.page()["greeting"] == "bonjour"
    assert set(answers) <= {"hello", "bonjour"}


def test_a_syntax_error_is_shown_and_the_next_save_mends_it(project):
    """The code from before serves as long as the saved one does not start."""
    project.save("bffs/shared.py", "GREETING = 'bonsoir'\n")
    project.run.until("restarted in", count=2)
    project.save("bffs/shared.py", "GREETING = (\n")
    project.run.until("the code from before still serves")
    project.run.until("SyntaxError: '(' was never closed")
    before = project.page()["greeting"]
    project.save("bffs/shared.py", "GREETING = 'hej'\n")
    project.run.until("restarted in", count=3)

    assert before == "bonsoir"
    assert project.page()["greeting"] == "hej"
    assert 'File "bffs/shared.py", line 1' in project.run.text
    assert "runpy" not in project.run.text


def test_two_saves_within_a_second_are_both_applied(project):
    """The second one has the size and the time of the first, to the second."""
    file = project.folder / "bffs" / "shared.py"
    project.save("bffs/shared.py", "GREETING = 'one'\n")
    project.run.until("restarted in", count=4)
    saved = file.stat()
    project.save("bffs/shared.py", "GREETING = 'two'\n")
    os.utime(file, (saved.st_atime, saved.st_mtime))
    project.run.until("restarted in", count=5)

    assert project.page()["greeting"] == "two"
    project.save("bffs/shared.py", "GREETING = 'hej'\n")
    project.run.until("restarted in", count=6)


def test_files_that_no_program_reads_restart_nothing(project):
    """The file that is broken is named, and one that is gone is "deleted"."""
    project.save("api/1.json", "{}")
    project.save("docker-compose.yml", "services: {}\n")
    project.save("bffs/extra.py", "A = 1\n")
    project.run.until("bffs/extra.py saved, mobile restarted in")
    (project.folder / "bffs" / "extra.py").unlink()
    (project.folder / "api" / "1.json").unlink()
    project.run.until("bffs/extra.py deleted, mobile restarted in")
    project.save("docker-compose.yml", "services:\n")
    project.save("bffs/shared.py", "<<<<<<< yours\nGREETING = 'hej'\n>>>>>>> template\n")
    project.run.until("bffs/shared.py saved, but mobile does not start")
    project.run.until("bffs/shared.py, line 1: there are conflict markers of a merge")
    restarted = "bffs/shared.py saved, mobile restarted in"
    before = project.run.text.count(restarted)
    project.save("bffs/shared.py", "GREETING = 'hej'\n")
    project.run.until(restarted, count=before + 1)

    assert "1.json" not in project.run.text
    assert "docker-compose.yml" not in project.run.text


def test_a_saved_mock_is_restarted_and_no_gateway(project):
    """Each file concerns its program only."""
    project.save("mocks/catalog.py", MOCK.replace("Tent", "Lamp"))
    project.run.until("mocks/catalog.py saved, catalog restarted in")

    assert project.page()["title"] == "Lamp"


def test_a_key_breaks_a_service_and_mends_it(project):
    """The screen is answered without the part, until the service answers as usual."""
    run = project.run
    run.press_until("b", " esc ")
    run.press_until("1", "errors: 500")
    run.press_until("e", "catalog answers 500")
    broken = project.page()
    # A busy machine may have spent the budget of retries before.
    run.until_matches(r"◐ degraded .*\n.*title .* missing: (\d attempts: )?500")
    run.press_until("b", " esc ")
    run.press_until("1", "as usual")
    run.press_until("u", "catalog answers as usual")

    assert broken["title"] is None
    assert project.page()["title"] == "Lamp"


def test_a_key_stops_a_service_and_starts_it_again(project):
    """A stopped service is gone; the same key starts it."""
    run = project.run
    run.press_until("b", " esc ")
    run.press_until("1", "stop   r")
    run.press_until("s", "catalog is stopped")
    stopped = project.page()
    project.save("mocks/catalog.py", MOCK.replace("Tent", "Rope"))
    project.save("bffs/extra.py", "A = 2\n")
    run.until_matches(r"bffs/extra.py saved, mobile restarted in[^↻]*$")
    run.press_until("b", " esc ")
    run.press_until("1", "start   r")
    run.press_until("s", "catalog serves again")

    project.save("mocks/answers.py", "A = 1\n")
    run.until("  ↻ mocks/answers.py saved, catalog restarted in")

    assert stopped["title"] is None
    assert project.page()["title"] == "Rope"
    assert run.process.poll() is None


def test_a_key_restarts_the_gateways(project):
    """Their code did not change."""
    project.run.press_until("r", "mobile restarted in")


def test_keys_open_the_console_and_the_page_of_the_gateway(project):
    """With one gateway there is no page to choose; its documentation is a page of the console."""
    gateway = project.url.removesuffix("/page")
    project.run.press_until("o", f"opening {project.console}\r\n")
    project.run.press_until("p", f"opening {gateway}/docs")
    page = httpx.get(f"{gateway}/docs", trust_env=False)

    assert page.headers["location"] == f"{project.console}/api?gateway=mobile"


def test_the_address_of_the_console_is_printed_first(project):
    """It is shown before anything has started, and again above the programs."""
    lines = project.run.text.splitlines()

    assert lines[0].endswith(f"starting 2 programs; console: {project.console}")
    assert f"  console   {project.console}   all gateways and services, live" in lines


def test_changed_settings_are_applied(project):
    """`.env` restarts all programs, the table those that it concerns; a mistake changes nothing."""
    run, table = project.run, (project.folder / "pyproject.toml").read_text()
    project.save(".env", "BFF_LOG_LEVEL=error\n")
    run.until(".env saved, catalog, mobile restarted in")
    project.save("pyproject.toml", table.replace('"REST"', '"REST"\nenv = { BFF_GRACE = "7" }'))
    run.until("pyproject.toml saved, mobile restarted in")
    project.save("pyproject.toml", table.replace("port = ", "prot = "))
    run.until("pyproject.toml saved, but not applied: ")
    project.save("pyproject.toml", table + "[tool.bff.gateways.web]\napp = 'a:b'\nport = 1\n")
    run.until("pyproject.toml saved: stop and start again to apply it")

    assert project.page()["greeting"] == "hej"


def test_trees_help_and_quit_have_keys(project):
    """`t` shows all trees, `?` explains, `q` ends the run and restores the terminal."""
    run = project.run
    run.press_until("t", "trees: all")
    run.press_until("?", "open the console in the browser")
    run.press("q")

    assert run.wait() == 0
    assert run.settings_of_terminal == run.settings_before
    assert run.output.rstrip("\r\n").endswith("\x1b[J")


def test_code_that_is_broken_from_the_start_can_be_mended(start, free_ports, tmp_path):
    """On a terminal the run waits for the next save; Ctrl-C ends it."""
    project = Project(tmp_path, free_ports(3))
    project.save("bffs/shared.py", "GREETING = (\n")
    command = (sys.executable, "-m", "bff_core", "dev")
    run = start(*command, folder=tmp_path, on_terminal=True, TERM="xterm")
    run.until("mobile did not come up")
    run.until("quit")
    project.save("bffs/shared.py", "GREETING = 'hello'\n")
    run.until("mobile restarted in")

    assert project.page()["greeting"] == "hello"
    run.press("\x03")
    assert run.wait() == 0


@pytest.mark.parametrize(
    ("file", "text", "arguments", "complaint"),
    [
        (".env", "MOBILE_PORT 7", (), "bff: .env, line 1: write NAME=value"),
        (".env", "MOBILE_PORT=seventy", (), "bff: MOBILE_PORT=seventy is no port"),
        (".env", "", ("mobil",), "bff: there is no gateway 'mobil'"),
        ("pyproject.toml", "[project]\nname = 'a'\n", (), "has no table [tool.bff.gateways.NAME]"),
    ],
)
def test_a_wrong_project_is_a_line(start, tmp_path, file, text, arguments, *, complaint):
    """Nothing is started, and the status is 2."""
    Project(tmp_path, [1, 2, 3]).save(file, text)
    run = start(sys.executable, "-m", "bff_core", "dev", *arguments, folder=tmp_path)

    assert run.wait() == 2
    assert complaint in run.output
