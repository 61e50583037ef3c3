"""Knows the shop that `make run` starts: nine services, three gateways, a request for each client.

The container files start the same system; a test holds them to this table.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.run.ports import HOST, Port, port_from
from scripts.run.program import Program

SERVICES = (
    "users",
    "catalog",
    "pricing",
    "inventory",
    "orders",
    "cart",
    "payments",
    "reviews",
    "recommendations",
)
SERVICES_PORT = 9001

SERVER = "bff_core.server"
"""The module that serves a gateway."""

ENDING = ("--drain-delay", "0", "--grace", "5")
"""No balancer has to notice that a gateway ends, and Ctrl-C shall not take long."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One client's gateway, and the request that shows the home screen as this client gets it."""

    name: str
    default_port: int
    about: str
    home: str

    @property
    def variable(self) -> str:
        """The environment variable that moves its port."""
        return f"{self.name.upper()}_PORT"


GATEWAYS = (
    Gateway(
        "web",
        8001,
        "GraphQL at /graphql",
        "curl -s -H 'Authorization: Bearer demo-1' -H 'Content-Type: application/json'"
        """ -d '{"query": "{ home { viewer { name } cart { count } orders { number status }"""
        """ picks(first: 3) { product { title } } } }"}' localhost:%d/graphql""",
    ),
    Gateway(
        "mobile",
        8002,
        "REST at /v1, small answers",
        "curl -s -H 'Authorization: Bearer demo-1' localhost:%d/v1/home",
    ),
    Gateway(
        "desktop",
        8003,
        "REST at /v1, wide answers and streams",
        "curl -s -H 'Authorization: Bearer demo-1' localhost:%d/v1/dashboard",
    ),
)


def shop(environ: Mapping[str, str]) -> list[Program]:
    """Return the programs of the whole shop, on the ports that the environment asks for.

    Raises PortUnusable if a port variable holds no port.
    """
    ports = {
        name: port_from(environ, "SERVICES_PORT", SERVICES_PORT, offset=offset)
        for offset, name in enumerate(SERVICES)
    }
    addresses = {
        f"BFF_UPSTREAM_{name.upper()}": f"http://{HOST}:{port.number}"
        for name, port in ports.items()
    }
    defaults = {"BFF_ENV": "development", "BFF_AUTH": "demo", **addresses}
    # What the caller's environment says goes first: one service may stand elsewhere.
    env = {key: environ.get(key) or value for key, value in defaults.items()}
    services = [_service(name, port) for name, port in ports.items()]
    return services + [_gateway(gateway, environ, env) for gateway in GATEWAYS]


def welcome(programs: Sequence[Program], pids: Mapping[str, int]) -> str:
    """Return what the run prints once all is up: the addresses, then the three requests."""
    ports = {program.name: program.port.number for program in programs}
    about = {gateway.name: gateway.about for gateway in GATEWAYS}
    rows = [
        f"  {name:<16} http://localhost:{port:<6} pid {pids[name]:<8} {about.get(name, 'service')}"
        for name, port in sorted(ports.items(), key=lambda row: row[1])
    ]
    requests = [f"  {gateway.home % ports[gateway.name]}" for gateway in GATEWAYS]
    title = "The home screen, as each client gets it:"
    advice = "Kill a service to see the screens without it; Ctrl-C stops everything."
    return "\n".join(["", *rows, "", title, *requests, "", advice, ""])


def _service(name: str, port: Port) -> Program:
    command = (sys.executable, "-m", "services_mock", name, "--port", str(port.number))
    return Program(name=name, command=command, port=port, ready="/healthz")


def _gateway(gateway: Gateway, environ: Mapping[str, str], env: Mapping[str, str]) -> Program:
    port = port_from(environ, gateway.variable, gateway.default_port)
    app = f"bffs.{gateway.name}.app:app"
    return Program(
        name=gateway.name,
        command=(
            *(sys.executable, "-m", SERVER, app),
            *("--host", HOST, "--port", str(port.number), *ENDING),
        ),
        port=port,
        ready="/readyz",
        env=env,
        is_vital=True,
    )
