"""`make run` as a newcomer meets it: the real services and gateways, in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from scripts.run.shop import GATEWAYS, SERVICES

ROW = re.compile(
    r"^  (?P<name>\w+) +http://localhost:(?P<port>\d+) +pid (?P<pid>\d+) ", re.MULTILINE
)
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
    def requests(self) -> list[str]:
        """The requests that it printed to be copied."""
        lines = self.run.output.splitlines()
        return [line.strip() for line in lines if line.startswith("  curl ")]


def open_shop(start, free_ports, *, auth: str = "demo", ignores_sigint: bool = False) -> Shop:
    """Start the shop on free ports, and wait until it says that all is up."""
    names = (*SERVICES, *(gateway.name for gateway in GATEWAYS))
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environ = {gateway.variable: str(ports[gateway.name]) for gateway in GATEWAYS}
    environ["BFF_AUTH"] = auth
    command = (sys.executable, "-m", "scripts.run")
    run = start(
        *command, ignores_sigint=ignores_sigint, SERVICES_PORT=str(ports[SERVICES[0]]), **environ
    )
    run.until("Ctrl-C stops everything", START_SECONDS)
    return Shop(run, ports)


@pytest.fixture(scope="module")
def shop(start_for_all, free_ports) -> Shop:
    """Open the shop once for the tests that leave its gateways alone."""
    return open_shop(start_for_all, free_ports)


def send(request: str) -> tuple[str, Any]:
    """Run a printed request in a shell; return the states of the parts and the decoded body."""
    done = subprocess.run(request, shell=True, capture_output=True, text=True, check=True)
    parts, body = done.stdout.splitlines()
    return parts.partition(": ")[2], json.loads(body)


def test_the_table_names_every_program_with_its_address(shop):
    """Once all is up, a table gives each program's URL and process id."""
    rows = {row["name"]: int(row["port"]) for row in ROW.finditer(shop.run.output)}

    assert rows == shop.ports
    assert len(shop.run.survivors(shop.pids.values(), seconds=0)) == len(shop.ports)


@pytest.mark.needs("curl")
def test_the_printed_requests_show_the_home_screen(shop):
    """Copied into a shell, each of the three requests answers 200 with this client's screen."""
    answers = [send(request) for request in shop.requests]

    assert all("cart=ok" in parts for parts, _ in answers)
    web, mobile, desktop = (body for _, body in answers)
    assert web["data"]["home"]
    assert "errors" not in web
    assert mobile
    assert desktop


@pytest.mark.needs("curl")
def test_what_the_run_advises_shows_the_effect(shop):
    """Without the cart service each screen goes on, and says that its cart is old."""
    advice = re.search(r"Run `(pkill -f 'services_mock cart')`", shop.run.output)
    assert advice is not None

    os.kill(shop.pids["cart"], signal.SIGKILL)
    report = shop.run.until("!!! cart")

    assert report.endswith("was killed by SIGKILL")
    assert all("cart=stale" in send(request)[0] for request in shop.requests)
    assert shop.run.process.poll() is None


def test_ctrl_c_stops_the_whole_shop_even_in_the_background(start, free_ports):
    """SIGINT ends every program and is no failure, also where it was ignored at the start."""
    shop = open_shop(start, free_ports, ignores_sigint=True)
    pids = shop.pids

    assert shop.run.end(signal.SIGINT) == 0
    assert len(pids) == len(shop.ports)
    assert not shop.run.survivors(pids.values(), seconds=1)
    assert "killing" not in shop.run.output


def sign_in_natively(line: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a printed line of a native client, which signs in as customer 1, without a browser."""
    command = [sys.executable, *line.split()[1:], "--as", "1", *more]
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
    printed = [line.strip() for line in shop.run.output.splitlines()]
    native = [line for line in printed if line.startswith("python3 samples/native_login.py")]
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
    assert shop.run.end(signal.SIGINT) == 0

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
    assert "page.js" in page.text
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
