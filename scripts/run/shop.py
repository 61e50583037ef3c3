"""Knows the shop that `make run` starts: ten services, three gateways, a request for each client.

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
    "identity",
)
SERVICES_PORT = 9001

SERVER = "bff_core.server"
"""The module that serves a gateway."""

ENDING = ("--drain-delay", "0", "--grace", "5")
"""No balancer has to notice that a gateway ends, and Ctrl-C shall not take long."""


KEY = "development-only-whoever-reads-this-reads-sessions"
"""What sessions are sealed with; a gateway in production does not take it."""

SECRET = "web-secret-for-the-mock-only"

LOGIN = "python samples/native_login.py"


@dataclass(frozen=True, slots=True)
class Gateway:
    """One client's gateway, and how its home screen is had: signed in, and as the demo's viewer."""

    name: str
    default_port: int
    about: str
    home: str
    demo: str

    @property
    def variable(self) -> str:
        """The environment variable that moves its port."""
        return f"{self.name.upper()}_PORT"


GATEWAYS = (
    Gateway(
        "web",
        8001,
        "GraphQL at /graphql, a page at /",
        "open http://localhost:%d/ in a browser, and sign in",
        "curl -s -H 'Authorization: Bearer demo-1' -H 'Content-Type: application/json'"
        """ -d '{"query": "{ home { viewer { name } cart { count } orders { number status }"""
        """ picks(first: 3) { product { title } } } }"}' localhost:%d/graphql""",
    ),
    Gateway(
        "mobile",
        8002,
        "REST at /v1, small answers",
        f"{LOGIN} mobile http://localhost:%d/v1/home",
        "curl -s -H 'Authorization: Bearer demo-1' localhost:%d/v1/home",
    ),
    Gateway(
        "desktop",
        8003,
        "REST at /v1, wide answers and streams",
        f"{LOGIN} desktop http://localhost:%d/v1/dashboard",
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
    gateways = {one.name: port_from(environ, one.variable, one.default_port) for one in GATEWAYS}
    issuer = f"http://localhost:{ports['identity'].number}"
    web = f"http://localhost:{gateways['web'].number}"
    defaults = {"BFF_ENV": "development", "BFF_AUTH": "none", "BFF_ISSUER": issuer, **addresses}
    # What the caller's environment says goes first: one service may stand elsewhere.
    env = {key: environ.get(key) or value for key, value in defaults.items()}
    services = [_service(name, port, issuer, web) for name, port in ports.items()]
    return services + [_gateway(one, gateways[one.name], environ, env) for one in GATEWAYS]


def welcome(programs: Sequence[Program], pids: Mapping[str, int]) -> str:
    """Return what the run prints once all is up: the addresses, then the three requests."""
    ports = {program.name: program.port.number for program in programs}
    about = {gateway.name: gateway.about for gateway in GATEWAYS}
    rows = [
        f"  {name:<16} http://localhost:{port:<6} pid {pids[name]:<8} {about.get(name, 'service')}"
        for name, port in sorted(ports.items(), key=lambda row: row[1])
    ]
    is_demo = any(program.env.get("BFF_AUTH") == "demo" for program in programs)
    homes = {one.name: one.demo if is_demo else one.home for one in GATEWAYS}
    requests = [f"  {home % ports[name]}" for name, home in homes.items()]
    title = "The home screen, as each client gets it:"
    advice = "Kill a service to see the screens without it; Ctrl-C stops everything."
    return "\n".join(["", *rows, "", title, *requests, "", advice, ""])


def _service(name: str, port: Port, issuer: str, web: str) -> Program:
    command = (sys.executable, "-m", "services_mock", name, "--port", str(port.number))
    env = {"SERVICES_ISSUER": issuer, "SERVICES_WEB_URL": web} if name == "identity" else {}
    return Program(name=name, command=command, port=port, ready="/healthz", env=env)


def _gateway(
    gateway: Gateway, port: Port, environ: Mapping[str, str], env: Mapping[str, str]
) -> Program:
    app = f"bffs.{gateway.name}.app:app"
    if gateway.name == "web":
        theirs = {
            "BFF_PUBLIC_URL": f"http://localhost:{port.number}",
            "BFF_CLIENT_ID": "web",
            "BFF_CLIENT_SECRET": SECRET,
            "BFF_SESSION_KEYS": KEY,
        }
        env = {**env, **{name: environ.get(name) or value for name, value in theirs.items()}}
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
