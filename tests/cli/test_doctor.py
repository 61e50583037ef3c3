"""`bff doctor`: finds what is wrong with a project and a machine, and says what to do."""

import json
import resource
import socket
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bff_core.cli.machine_checks import machine_findings
from tests.cli.projects import write_shop
from tests.processes.ports import free_ports


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """Write the shop, at ports that are free."""
    names = ("mobile", "web", "catalog", "reviews")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    write_shop(tmp_path, f"shop_{abs(hash(request.node.name))}", **ports)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(done) -> dict[str, list[dict]]:
    """Return the findings of a run by their area."""
    by_area: dict[str, list[dict]] = {}
    for one in json.loads(done.out):
        by_area.setdefault(one["area"], []).append(one)
    return by_area


def add(project, text: str) -> None:
    file = project / "pyproject.toml"
    file.write_text(f"{file.read_text()}\n{text}")


def replace(project, old: str, new: str) -> None:
    file = project / "pyproject.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@contextmanager
def listening(port: int = 0):
    with closing(socket.create_server(("127.0.0.1", port))) as one:
        yield one.getsockname()[1]


def port_of(project, name: str) -> int:
    text = (project / "pyproject.toml").read_text()
    return int(text.partition(f".{name}]")[2].partition("port = ")[2].partition("\n")[0])


def test_a_sound_project_needs_nothing(project, bff):
    """Gateways load, ports are free; a service that is elsewhere has to answer."""
    replace(project, "[tool.bff.services.catalog]\n", "[tool.bff.services.catalog]\ncommand='x'\n")
    replace(project, "[tool.bff.services.reviews]\n", "[tool.bff.services.reviews]\ncommand='x'\n")
    before = sorted(project.rglob("*"))
    done, text = bff("doctor", "--json"), bff("doctor")
    areas = found(done)

    assert (done.status, text.status) == (0, 0)
    assert [*areas] == ["machine", "project", "services", "gateway mobile", "gateway web"]
    assert areas["services"][0]["what"] == "catalog, reviews: not running"
    assert areas["services"][0]["advice"] == "They are started by: bff dev"
    assert text.out.endswith("nothing has to be mended\n")
    assert sorted(project.rglob("*")) == before


def test_a_service_elsewhere_has_to_answer(project, bff):
    """A service without a command is not started by `bff dev`: it has to be reachable."""
    done = bff("doctor", "--json")
    (catalog, _) = found(done)["services"]

    assert done.status == 1
    assert catalog["state"] == "fail"
    assert (
        f"catalog does not answer at http://127.0.0.1:{port_of(project, 'catalog')}"
        in catalog["what"]
    )
    assert catalog["advice"] == "Start it, or mend [tool.bff.services.catalog]"


def test_a_missing_address_is_named(project, bff):
    """No address is made up: the variable that is missing is a failure."""
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.partition("[tool.bff.services.catalog]")[0])
    done = bff("doctor", "--json")

    assert done.status == 1
    mobile = found(done)["gateway mobile"][-1]
    assert (mobile["state"], mobile["what"].partition(":")[0]) == (
        "fail",
        "BFF_UPSTREAM_CATALOG is not set",
    )


def test_a_port_in_use_is_reported(project, bff):
    """Another program at a gateway's port is a failure; two programs with one port as well."""
    with listening(port_of(project, "mobile")):
        mobile = found(bff("doctor", "mobile", "--json"))["gateway mobile"][0]
    replace(project, f"port = {port_of(project, 'catalog')}", f"port = {port_of(project, 'web')}")
    twice = found(bff("doctor", "--json"))["project"]

    assert (mobile["state"], "is in use by another program" in mobile["what"]) == ("fail", True)
    assert any("is that of web and of catalog" in one["what"] for one in twice)


def test_a_service_elsewhere_need_not_have_the_default_health_check(project, bff):
    """Its 404 to `/healthz` is no finding; one to a path that the table names is."""

    class Bare(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the standard library wants it
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port_of(project, "catalog")), Bare) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            plain = found(bff("doctor", "--json"))["services"][0]
            replace(project, ".catalog]\n", ".catalog]\nready = '/up'\n")
            named = found(bff("doctor", "--json"))["services"][0]
        finally:
            server.shutdown()
            thread.join()

    assert (plain["state"], "catalog answers at" in plain["what"]) == ("ok", True)
    assert (named["state"], named["what"]) == ("note", "catalog answers 404 to /up")


@pytest.mark.slow
def test_a_clock_that_differs_is_noted(project, bff):
    """Tokens expire by the clock: one that differs by minutes is found before users are refused."""

    class Late(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the standard library wants it
            self.send_response(200)
            self.end_headers()

        def date_time_string(self, timestamp=None) -> str:
            return super().date_time_string(time.time() - 600)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port_of(project, "catalog")), Late) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            notes = found(bff("doctor", "--json"))["services"]
        finally:
            server.shutdown()
            thread.join()

    assert any("the clock of catalog differs by 60" in one["what"] for one in notes)


def test_an_invalid_policy_file_is_reported(project, bff, monkeypatch):
    """The error has the file and the key; a valid file says how much it changes."""
    (project / "policies.toml").write_text("[catalog]\ntimeot = 1\n")
    monkeypatch.setenv("BFF_POLICIES", "policies.toml")
    wrong = bff("doctor", "mobile", "--json")
    (project / "policies.toml").write_text("[catalog]\ntimeout = 1.0\n")
    right = bff("doctor", "mobile", "--json")

    assert (
        "catalog.timeot is no option: did you mean timeout?"
        in found(wrong)["gateway mobile"][-1]["what"]
    )
    assert "policies.toml is valid and changes 1 option" in [
        one["what"] for one in found(right)["gateway mobile"]
    ]


def test_stores_are_tried_without_creating_them(project, bff, monkeypatch):
    """A folder that does not exist, or a Redis that does not answer, is a failure."""
    (port,) = free_ports(1)
    monkeypatch.setenv("BFF_LIMITS_URL", f"redis://127.0.0.1:{port}/0")
    done = found(bff("doctor", "mobile", "--json"))["gateway mobile"]

    (limits,) = [one for one in done if "rate limits" in one["what"]]
    assert limits["state"] == "fail"
    assert "Connection refused" in limits["what"]
    assert limits["advice"] == "Start that Redis, or mend BFF_LIMITS_URL"


@pytest.mark.parametrize(
    ("text", "state", "complaint"),
    [
        ("BFF_TIMEOUT=2\n", "ok", ".env sets 1 variable"),
        ("BFF_TIMEOUT\n", "fail", "line 1: write NAME=value"),
    ],
)
def test_the_env_file_is_read(project, bff, text, state, complaint):
    """A wrong line is named; variables of the example that are missing are listed."""
    (project / ".env").write_text(text)
    (project / ".env.example").write_text("BFF_TIMEOUT=1\nBFF_LOG=text\n")
    (project / ".env").chmod(0o600)
    findings = found(bff("doctor", "--json"))["project"]

    assert any(one["state"] == state and complaint in one["what"] for one in findings)
    if state == "ok":
        assert any("lacks variables of .env.example: BFF_LOG" in one["what"] for one in findings)


def test_variables_that_nothing_reads_are_noted(project, bff, monkeypatch):
    """A misspelt variable is not silently ignored."""
    monkeypatch.setenv("BFF_TIMEOT", "2")
    notes = found(bff("doctor", "mobile", "--json"))["gateway mobile"]

    assert any(
        "BFF_TIMEOT is set, but nothing reads it: did you mean" in one["what"] for one in notes
    )


def test_production_is_judged_by_its_own_variables(project, bff, monkeypatch):
    """In development a note lists what production refuses; --production fails for it."""
    note = found(bff("doctor", "mobile", "--json"))["gateway mobile"][-1]
    monkeypatch.setenv("BFF_UPSTREAM_CATALOG", "https://catalog.example")
    monkeypatch.setenv("BFF_UPSTREAM_REVIEWS", "https://reviews.example")
    refused = bff("doctor", "mobile", "--production", "--json")
    monkeypatch.setenv("BFF_ALLOWED_HOSTS", "shop.example")
    accepted = bff("doctor", "mobile", "--production", "--json")

    assert note["state"] == "note"
    assert note["what"].startswith("not ready for production: BFF_ALLOWED_HOSTS is not set")
    assert refused.status == 1
    assert "BFF_ALLOWED_HOSTS is not set" in found(refused)["gateway mobile"][-1]["what"]
    assert accepted.status == 0


def test_a_container_needs_no_project(project, bff, monkeypatch):
    """A gateway is checked by its module where there is no pyproject.toml."""
    module = next(project.glob("shop_*.py"))
    (project / "pyproject.toml").unlink()
    monkeypatch.setenv("BFF_UPSTREAM_CATALOG", "https://catalog.example")
    monkeypatch.setenv("BFF_UPSTREAM_REVIEWS", "https://reviews.example")
    monkeypatch.setenv("BFF_ALLOWED_HOSTS", "shop.example")
    done = bff("doctor", f"{module.stem}:mobile", "--production", "--json")

    assert done.status == 0
    assert [*found(done)] == ["machine", f"gateway {module.stem}:mobile"]


def test_an_error_of_the_users_code_is_reported(project, bff):
    """An exception at import is a finding of that gateway, not a traceback."""
    module = next(project.glob("shop_*.py"))
    module.write_text("raise RuntimeError('no database')\n")
    done = bff("doctor", "mobile", "--json")

    assert done.status == 1
    what = found(done)["gateway mobile"][-1]["what"]
    assert f"{module.name}, line 1: RuntimeError: no database" in what


def test_a_declaration_without_effect_is_noted(project, bff):
    """What a gateway warns of when it starts is found before."""
    module = next(project.glob("shop_*.py"))
    module.write_text(module.read_text().replace('("/v1/reviews",)', '("/v1/reviws",)'))
    notes = found(bff("doctor", "mobile", "--json"))["gateway mobile"]

    assert any("/v1/reviws is the beginning of no route" in one["what"] for one in notes)


def test_few_open_files_are_a_failure():
    """A limit below a thousand files breaks gateways under load; the advice is a command."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        (few,) = [one for one in machine_findings() if "open files" in one.what]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert (few.state, few.what) == ("fail", "512 open files are allowed")
    assert few.advice.startswith("Each connection takes one: ulimit -n ")


def test_a_folder_without_a_project_is_a_failure(tmp_path, bff, monkeypatch):
    """The machine is checked all the same."""
    monkeypatch.chdir(tmp_path)
    done = bff("doctor", "--json")

    assert done.status == 1
    assert found(done)["project"][0]["what"].startswith("there is no pyproject.toml")
    assert found(done)["machine"]
