"""`make run` as a newcomer meets it: the real services and gateways, in processes of their own."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bff_core.cli.addresses import variable_of
from tests.reference_project import PROJECT, SERVICES

ROW = re.compile(
    r"event=program.ready program=(?P<name>\w+) url=\S+:(?P<port>\d+) pid=(?P<pid>\d+)"
)
EXAMPLE = re.compile(r'event=run.example program=(\w+) command="(.*)"$', re.MULTILINE)
START_SECONDS = 90


@dataclass(frozen=True)
class Shop:
    """A shop that is up: its supervisor, its ports, and what it printed."""

    run: Any
    ports: dict[str, int]

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {row["name"]: int(row["pid"]) for row in ROW.finditer(self.run.output)}

    @property
    def examples(self) -> dict[str, str]:
        """The requests that it printed to be copied, by gateway."""
        found = EXAMPLE.findall(self.run.output)
        return {name: text.replace('\\"', '"') for name, text in found}


def open_shop(start, free_ports, *, auth: str) -> Shop:
    """Start the shop on free ports, and wait until all is up."""
    names = (*SERVICES, *PROJECT.gateways)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environ = {variable_of(name): str(ports[name]) for name in PROJECT.gateways}
    command = (sys.executable, "-m", "bff_core", "dev")
    run = start(*command, SERVICES_PORT=str(ports[SERVICES[0]]), BFF_AUTH=auth, **environ)
    run.until("event=run.ready", START_SECONDS)
    return Shop(run, ports)


@pytest.fixture(scope="module")
def shop(start_for_all, free_ports) -> Shop:
    """Open the shop once for the tests that leave its gateways alone."""
    return open_shop(start_for_all, free_ports, auth="demo")


def send(request: str) -> tuple[str, Any]:
    """Run a printed request in a shell; return the states of the parts and the decoded body."""
    done = subprocess.run(request, shell=True, capture_output=True, text=True, check=True)
    head, _, body = done.stdout.partition("\n\n")
    parts = next(line for line in head.splitlines() if line.lower().startswith("part-status"))
    return parts.partition(": ")[2], json.loads(body)


def test_every_program_is_named_with_its_address(shop):
    """Once all is up, a line gives each program's URL and process id."""
    rows = {row["name"]: int(row["port"]) for row in ROW.finditer(shop.run.output)}

    assert " event=run.console url=http://localhost:" in shop.run.output.splitlines()[0]
    assert rows == shop.ports
    assert len(shop.run.survivors(shop.pids.values(), seconds=0)) == len(shop.ports)


@pytest.mark.needs("curl")
def test_the_printed_requests_show_the_home_screen(shop):
    """Copied into a shell, each of the three requests answers with this client's screen."""
    answers = {name: send(request) for name, request in shop.examples.items()}

    assert answers.keys() == {"web", "mobile", "desktop"}
    assert all("cart=ok" in parts for parts, _ in answers.values())
    assert answers["web"][1]["data"]["home"]
    assert "errors" not in answers["web"][1]


@pytest.mark.needs("curl")
def test_each_request_is_a_line_with_its_parts(shop):
    """The gateway reports it, whatever its log level is."""
    send(shop.examples["mobile"])
    line = shop.run.until("route=/v1/home")

    assert " gateway=mobile method=GET route=/v1/home status=200 " in line
    assert "cart:ok" in line


@pytest.mark.needs("curl")
def test_without_the_cart_service_each_screen_goes_on(shop):
    """The end of the service is reported, and the screens say that their cart is old."""
    os.kill(shop.pids["cart"], signal.SIGKILL)
    report = shop.run.until("was killed by SIGKILL")

    assert "program=cart" in report
    assert all("cart=stale" in send(request)[0] for request in shop.examples.values())
    assert shop.run.process.poll() is None


def test_a_busy_port_is_one_line_and_nothing_starts(start, free_ports):
    """The line names port and variable; the status is 2."""
    ports = free_ports(12)
    environ = dict(zip(("WEB_PORT", "MOBILE_PORT", "DESKTOP_PORT"), map(str, ports), strict=False))
    command = (sys.executable, "-m", "bff_core", "dev")
    with socket.create_server(("127.0.0.1", ports[5])):
        run = start(*command, SERVICES_PORT=str(ports[3]), **environ)
        status = run.wait()

    assert status == 2
    assert run.output == (
        f"bff: port {ports[5]} is busy: free it or choose another with SERVICES_PORT\n"
    )


def sign_in_natively(line: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a printed line of a native client, which signs in as customer 1, without a browser."""
    command = [sys.executable, *shlex.split(line)[1:], "--as", "1", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def play(line: str, *more: str) -> dict[str, Any]:
    """Run a printed line of a native client; return the screen that it prints."""
    done = sign_in_natively(line, *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_shop_signs_its_clients_in_for_real(start, free_ports):
    """A browser gets a cookie, native apps fetch tokens, and each is shown its home screen."""
    shop = open_shop(start, free_ports, auth="none")
    native = [shop.examples[name] for name in ("mobile", "desktop")]
    anonymous = httpx.get(f"http://localhost:{shop.ports['mobile']}/v1/home")
    mobile, desktop = (play(line) for line in native)
    openid = ("--scope", "openid")
    shelf = play(native[0].replace("/v1/home", "/v1/products"), *openid)
    withheld = [sign_in_natively(line, *openid) for line in native]
    unknown = sign_in_natively(native[0], "--scope", "openid nonsense")
    web = f"http://localhost:{shop.ports['web']}"
    cookies = sign_in(web, user="2")
    page = httpx.get(web, headers={"accept": "text/html"}, cookies=cookies)
    query = {"query": "{ home { viewer { id name } } }"}
    ours = {"x-csrf": "1", "origin": web, "cookie": f"__Host-bff={cookies['__Host-bff']}"}
    answer = httpx.post(f"{web}/graphql", json=query, headers=ours)
    pids = shop.pids
    assert shop.run.end(signal.SIGINT) == 0
    assert not shop.run.survivors(pids.values(), seconds=1)

    assert anonymous.status_code == 401
    assert shelf["total"] > 0
    assert [done.returncode for done in (*withheld, unknown)] == [1, 1, 1]
    assert all("answered 403" in done.stderr for done in withheld)
    assert "invalid_scope" in unknown.stderr
    elsewhere = subprocess.run(
        [sys.executable, *native[0].split()[1:-1], "http://localhost:1", "--as", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Name it with --issuer" in elsewhere.stderr
    assert mobile["name"] == desktop["customer"]["name"].split()[0]
    assert 'data-root=""' in page.text
    assert answer.json()["data"]["home"]["viewer"]["id"] == "2"


def sign_in(web: str, user: str) -> dict[str, str]:
    """Sign in as a browser would, over the mock provider's page; return the gateway's cookies."""
    with httpx.Client(trust_env=False) as http:
        left = http.get(f"{web}/bff/login")
        cookie = left.headers["set-cookie"].partition(";")[0]
        page = http.get(left.headers["location"])
        form = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        chosen = http.post(str(page.url).partition("?")[0], data={**form, "user": user})
        back = http.get(chosen.headers["location"], headers={"cookie": cookie})
    pairs = [one.partition(";")[0].partition("=") for one in back.headers.get_list("set-cookie")]
    return {name: value for name, _, value in pairs if value}
