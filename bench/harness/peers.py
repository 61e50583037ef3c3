"""The compared gateways: what each needs, and how it is built and started."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.harness.nginx import Services, fill_in
from bench.harness.programs import free_ports, missing, running, tail, wait_until_ready

FOLDER = Path(__file__).parents[1] / "peers"
UVICORN = (sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools")
QUIET = ("--no-access-log", "--log-level", "warning")
SERVER = (sys.executable, "-m", "bff_core", "serve")
"""The command that serves the examples' gateways."""


class Skipped(Exception):
    """A peer can't run here; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """The environment of a peer: its port, the services, and a folder for its files."""

    port: int
    services: Services
    run: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway that answers the screen.

    `answer` is `spliced` for one that passes on the services' bodies, `hello` for one that
    knows none. One that `repeats` gets the same request again and again. `build` runs once per
    session, in the peer's folder.
    """

    name: str
    command: Callable[[Place], list[str]]
    needs: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    answer: Literal["trimmed", "spliced", "hello"] = "trimmed"
    repeats: bool = False

    @property
    def folder(self) -> Path:
        """The folder of its source."""
        return FOLDER / self.name


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that answers; `pid` is the root of its process tree."""

    peer: Peer
    port: int
    pid: int

    @property
    def url(self) -> str:
        """The screen's address without the id."""
        return f"http://127.0.0.1:{self.port}/screen/"


def serve_with_uvicorn(name: str) -> Callable[[Place], list[str]]:
    """Return the command of a peer written in Python by hand."""

    def command(place: Place) -> list[str]:
        folder = str(FOLDER / name)
        return [*UVICORN, *QUIET, "--app-dir", folder, "--port", str(place.port), "app:app"]

    return command


def serve_with_ours(*options: str) -> Callable[[Place], list[str]]:
    """Return the command of our gateway."""

    def command(place: Place) -> list[str]:
        return [*SERVER, "app:app", "--port", str(place.port), *options]

    return command


def serve_with_nginx(place: Place) -> list[str]:
    """Fill in the configuration of the nginx peer and return its command."""
    here = FOLDER / "nginx-ssi"
    target = place.run / "nginx-ssi.conf"
    addresses = {name.upper(): place.services.address(name) for name in place.services.ports}
    words = {"PORT": place.port, "RUN": place.run, "HERE": here, **addresses}
    fill_in(here / "nginx.conf", target, words)
    return ["nginx", "-e", "stderr", "-c", str(target)]


BFF = Peer(
    "bff",
    serve_with_ours(),
    environment={
        "PYTHONPATH": str(FOLDER / "bff"),
        "BFF_ENV": "production",
        "BFF_ALLOWED_HOSTS": "127.0.0.1",
        # No peer writes an access log.
        "BFF_LOG": "off",
        # Load shedding is on, and costs; but it must not refuse, as no peer does.
        "BFF_MAX_LAG": "10",
    },
)
FASTAPI = Peer("fastapi-httpx", serve_with_uvicorn("fastapi-httpx"))
FASTIFY = Peer(
    "fastify-undici",
    lambda _: ["node", str(FOLDER / "fastify-undici" / "server.js")],
    needs=("node", "npm"),
    build=("npm", "ci", "--no-audit", "--no-fund"),
    environment={"NODE_ENV": "production"},
)
GO = Peer(
    "go-net-http",
    lambda _: [str(FOLDER / "go-net-http" / "bin" / "screen")],
    needs=("go",),
    build=("go", "build", "-o", "bin/screen", "."),
    # It has one core, which its scheduler would otherwise have to find out.
    environment={"GOMAXPROCS": "1"},
)
NGINX = Peer("nginx-ssi", serve_with_nginx, needs=("nginx",), answer="spliced")

VIEW_CACHE = replace(
    BFF,
    name="bff-view-cache",
    environment={
        **(BFF.environment or {}),
        "BFF_POLICIES": str(FOLDER / "bff-view-cache" / "policies.toml"),
    },
    repeats=True,
)
HELLO = Peer("starlette-hello", serve_with_uvicorn("starlette-hello"), answer="hello", repeats=True)

PEERS = (BFF, FASTAPI, FASTIFY, GO, NGINX, VIEW_CACHE, HELLO)


def build(peer: Peer, log: Path) -> None:
    """Build a peer; raises Skipped where a program is missing or building fails."""
    if absent := missing(peer.needs):
        raise Skipped(f"{', '.join(absent)} not installed")
    if not peer.build:
        return
    with log.open("wb") as output:
        built = subprocess.run(
            peer.build, cwd=peer.folder, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if built.returncode:
        raise Skipped(f"`{' '.join(peer.build)}` failed: {tail(log)}")


@contextmanager
def started(peer: Peer, services: Services, *, run: Path, cores: str) -> Iterator[Running]:
    """Run a built peer on `cores` while the context lasts; raises NotReady."""
    port = free_ports(1)[0]
    place = Place(port, services, run)
    log = run / f"{peer.name}.log"
    environment = {**wiring(place), **(peer.environment or {})}
    with running(peer.command(place), cores=cores, log=log, environment=environment) as process:
        wait_until_ready(process, port, "/screen/1", log)
        yield Running(peer, port, process.pid)


def wiring(place: Place) -> dict[str, str]:
    """Return the variables that tell a peer its port and its services."""
    wired = {"PORT": str(place.port), "HOST": "127.0.0.1"}
    for name in place.services.ports:
        url = f"http://{place.services.address(name)}"
        wired[f"{name.upper()}_URL"] = wired[f"BFF_UPSTREAM_{name.upper()}"] = url
    return wired
