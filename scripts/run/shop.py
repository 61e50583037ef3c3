"""The programs that `make run` starts: ten services and three gateways, with sample requests.

The container files start the same system; a test compares them with this table.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.run.keys import KEYS
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

ENDING = ("--drain-delay", "0", "--grace", "5")
"""Short, since no load balancer has to notice the shutdown, and Ctrl-C should be quick."""


KEY = "development-only-whoever-reads-this-reads-sessions"
"""The key that seals sessions; a gateway in production refuses it."""

SECRET = "web-secret-for-the-mock-only"

LOGIN = "python3 samples/native_login.py"

ISSUER = "http://localhost:9010"
"""The default identity provider of the sample."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One client's gateway, and the requests of its home screen: signed in, and as in the demo."""

    name: str
    default_port: int
    about: str
    home: str
    demo: str

    @property
    def variable(self) -> str:
        """The environment variable of its port."""
        return f"{self.name.upper()}_PORT"


DEMO = "curl -si -H 'Authorization: Bearer demo-1'"
"""The start of a request as the demo's viewer."""

SHOWN = "| grep -iE '^(part-status|\\{)'"
"""Its end: prints the state of each part, and the screen."""

GATEWAYS = (
    Gateway(
        "web",
        8001,
        "GraphQL at /graphql, a page at /",
        "open http://localhost:%d/ in a browser, and sign in",
        f"{DEMO} -H 'Content-Type: application/json'"
        """ -d '{"query": "{ home { viewer { name } cart { count } orders { number status }"""
        """ picks(first: 3) { product { title } } } }"}' localhost:%d/graphql """ + SHOWN,
    ),
    Gateway(
        "mobile",
        8002,
        "REST at /v1, small answers",
        f"{LOGIN} mobile http://localhost:%d/v1/home",
        f"{DEMO} localhost:%d/v1/home {SHOWN}",
    ),
    Gateway(
        "desktop",
        8003,
        "REST at /v1, wide answers and streams",
        f"{LOGIN} desktop http://localhost:%d/v1/dashboard",
        f"{DEMO} localhost:%d/v1/dashboard {SHOWN}",
    ),
)


def shop(environ: Mapping[str, str]) -> list[Program]:
    """Return the programs of the whole shop, on the ports that the environment names.

    Raises PortUnusable if a port variable is not a port.
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
    # The caller's environment takes precedence: a service may run elsewhere.
    env = {key: environ.get(key) or value for key, value in defaults.items()}
    services = [_service(name, port, issuer, web) for name, port in ports.items()]
    return services + [_gateway(one, gateways[one.name], environ, env) for one in GATEWAYS]


def welcome(programs: Sequence[Program], pids: Mapping[str, int], *, has_keys: bool) -> str:
    """Return the text that a ready run prints: the addresses, the three requests, the keys."""
    return "\n".join(
        [
            "",
            *(_row(program, pids[program.name], has_key=has_keys) for program in programs),
            "",
            "The home screen, as each client gets it:",
            *(f"  {request}" for request in _requests(programs)),
            "",
            *_advice(programs, has_keys=has_keys),
            "",
        ]
    )


def _row(program: Program, pid: int, *, has_key: bool) -> str:
    about = {gateway.name: gateway.about for gateway in GATEWAYS}.get(program.name, "service")
    key = f"   key {program.key}" if has_key and program.key else ""
    port = program.port.number
    return f"  {program.name:<16} http://localhost:{port:<6} pid {pid:<8} {about}{key}"


def _requests(programs: Sequence[Program]) -> list[str]:
    by_name = {program.name: program for program in programs}
    found = []
    for gateway in GATEWAYS:
        program = by_name[gateway.name]
        is_demo = program.env["BFF_AUTH"] == "demo"
        request = (gateway.demo if is_demo else gateway.home) % program.port.number
        is_moved = program.env["BFF_ISSUER"] != ISSUER and request.startswith(LOGIN)
        found.append(f"{request} --issuer {program.env['BFF_ISSUER']}" if is_moved else request)
    return found


def _advice(programs: Sequence[Program], *, has_keys: bool) -> list[str]:
    """Describe how to stop a service and see the effect, with one whose replies are not cached."""
    (cart,) = (program for program in programs if program.name == "cart")
    stop = f"Press {cart.key}" if has_keys else f"Run `pkill -f 'services_mock {cart.name}'`"
    again = f" {cart.key} starts it again." if has_keys else ""
    return [
        f"{stop} to stop the cart service, and send a request again: part-status says cart=stale,",
        f"or what is shown instead, and the rest of the screen is as before.{again}",
        "Other services show later: their replies are cached, and stay ok while they are fresh.",
        "Ctrl-C stops everything.",
    ]


def _service(name: str, port: Port, issuer: str, web: str) -> Program:
    command = (sys.executable, "-m", "services_mock", name, "--port", str(port.number))
    env = {"SERVICES_ISSUER": issuer, "SERVICES_WEB_URL": web} if name == "identity" else {}
    key = KEYS[SERVICES.index(name)]
    return Program(name=name, command=command, port=port, ready="/healthz", env=env, key=key)


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
            *(sys.executable, "-m", "bff_core", "serve", app),
            *("--host", HOST, "--port", str(port.number), *ENDING),
        ),
        port=port,
        ready="/readyz",
        env=env,
        is_vital=True,
    )
