"""The example of docs/how-to/console.md: its settings with two workers, behind its nginx."""

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.console.npm import ROOT
from tests.processes.nginx import nginx
from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

pytestmark = pytest.mark.needs("nginx", "openssl")

OPERATOR = "127.0.0.2"
"""The address of an operator: not that of the proxy."""

PAGE = (ROOT / "docs/how-to/console.md").read_text()


def block(beginning: str) -> str:
    """Return the block of the page that begins so."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [one for one in blocks if one.startswith(beginning)]
    return str(found)


@dataclass
class Site:
    """The gateway of the example, and its proxy."""

    folder: Path
    port: int
    token: str

    def client(self) -> httpx.AsyncClient:
        """Return a browser of an operator."""
        transport = httpx.AsyncHTTPTransport(verify=False, local_address=OPERATOR)
        headers = {"host": "shop.example"}
        base_url = f"https://127.0.0.1:{self.port}"
        return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)

    def refusals(self) -> str:
        """Return the lines of the log about wrong tokens."""
        lines = (self.folder / "log").read_text().splitlines()
        return "\n".join(line for line in lines if "operator.refused" in line)


@pytest.fixture(scope="module")
def site(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Do what the page says, with free ports and a certificate of our own."""
    folder = tmp_path_factory.mktemp("shop")
    (command,) = re.findall(r"^ {4}(openssl rand .*)$", PAGE, re.MULTILINE)
    subprocess.run(command, shell=True, cwd=folder, check=True)
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", "shop.key", "-out", "shop.pem", "-subj", "/CN=shop.example"]
    subprocess.run(["openssl", "req", *made, *files], cwd=folder, check=True, capture_output=True)
    port, gateway_port = free_port(), free_port()
    gateway = Process(
        fork_server,
        *("bff_core", "serve", "tests.console.plain_shop:app", "--port", str(gateway_port)),
        log=folder / "log",
        environ={**settings(folder), "BFF_DRAIN_DELAY": "0", "TMPDIR": str(folder)},
        is_ready=lambda: answers(gateway_port, "/readyz"),
    )
    try:
        gateway.start().wait_until_ready()
        wait_for_workers(folder)
        with nginx(folder, server_of(folder, port, gateway_port), port=port):
            yield Site(folder, port, (folder / "operator-token").read_text().strip())
    finally:
        gateway.kill()


def wait_for_workers(folder: Path) -> None:
    """Return when both workers serve commands."""
    until = time.monotonic() + 20
    while len(list(folder.glob("bff-*/*.sock"))) < 2:
        assert time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.05)


def settings(folder: Path) -> dict[str, str]:
    """Return the settings of the page; the file with the token is in the folder."""
    lines = [line for line in block("# shop.env").splitlines() if not line.startswith("#")]
    found = dict(line.split("=", 1) for line in lines)
    found["BFF_OPERATOR_TOKEN_FILE"] = str(folder / found["BFF_OPERATOR_TOKEN_FILE"])
    return found


def server_of(folder: Path, port: int, gateway_port: int) -> str:
    """Return the server of the page for nginx, with our files and ports."""
    server = block("server {")
    for written, ours in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("shop.pem", str(folder / "shop.pem")),
        ("shop.key", str(folder / "shop.key")),
        ("127.0.0.1:8000", f"127.0.0.1:{gateway_port}"),
    ):
        assert written in server
        server = server.replace(written, ours)
    return server


async def test_an_operator_signs_in_and_sees_both_workers(site):
    """The cookie is secure, and the page is the one that was wanted."""
    async with site.client() as client:
        form = await client.get("/console/upstreams")
        wanted = {"token": site.token, "next": "/console/upstreams"}
        entered = await client.post("/console/login", data=wanted)
        cookie = entered.headers["set-cookie"]
        session = {"cookie": cookie.partition(";")[0]}
        found = (await client.get("/console/api/installation", headers=session)).json()

    assert form.status_code == 401
    assert 'action="/console/login"' in form.text
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/upstreams")
    assert cookie.startswith("__Secure-bff-console=")
    assert len(found["gateways"][0]["workers"]) == 2
    assert found["gateways"][0]["url"] == "https://shop.example"


async def test_a_wrong_token_is_logged_with_the_address_of_its_sender(site):
    """Not with that of the proxy, and without the token."""
    async with site.client() as client:
        wrong = await client.post("/console/login", data={"token": "a-guess-of-the-token"})

    assert wrong.status_code == 401
    assert OPERATOR in site.refusals()
    assert "a-guess" not in (site.folder / "log").read_text()


async def test_the_live_stream_passes_the_proxy(site):
    """Its first message arrives at once."""
    headers = {"authorization": f"Bearer {site.token}"}
    async with (
        site.client() as client,
        client.stream("GET", "/console/api/live", headers=headers, timeout=5) as stream,
    ):
        first = await anext(stream.aiter_text())

    assert first.startswith(("event:", "data:", ":", "retry:", "id:"))


@pytest.mark.parametrize("path", ["/operator/upstreams", "/metrics"])
async def test_other_places_of_the_token_are_not_public(site, path):
    """The proxy refuses them, even with the token."""
    async with site.client() as client:
        refused = await client.get(path, headers={"authorization": f"Bearer {site.token}"})

    assert refused.status_code == 403
