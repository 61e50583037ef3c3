"""The house that is recorded: ten services, Redis, and a gateway for each way to be called."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from services_mock.shop import SERVICES
from tests.redis_server import RedisServer
from tests.wire.exchange import encode, send
from tests.wire.processes import Program, addresses, free_ports

OPERATOR_TOKEN = "the-operator-token-of-the-wire-tests"
PURGE_SECRET = "the-purge-secret-of-the-wire-tests"
SESSION_KEY = "a-session-key-for-the-wire-tests-only"
WEB_SECRET = "web-secret-for-the-mock-only"

GATEWAYS = {
    "mobile": "bffs.mobile.app:app",
    "desktop": "bffs.desktop.app:app",
    "web": "bffs.web.app:app",
    "signin": "bffs.web.app:app",
    "native": "bffs.desktop.app:app",
    "kiosk": "tests.wire.kiosk:app",
}
"""What is served under which name: `signin` and `native` sign in at the identity service."""

NAMES = (*SERVICES, *GATEWAYS)

SPARE = 4
"""Ports for gateways that a test starts beside."""

MAX_CONCURRENT = 10
"""So many requests may be under way in the kiosk."""

CALM = {
    "BFF_LOG": "json",
    "BFF_MAX_LAG": "0",
    "BFF_BROWNOUT": "false",
    "BFF_WATCHDOG": "0",
    "BFF_HOST": "127.0.0.1",
    "BFF_DRAIN_DELAY": "0",
    "BFF_REVISION": "wire",
}
"""A busy machine is no reason to answer otherwise."""


class House:
    """All programs, with what a test may do to them."""

    def __init__(self, folder: Path, redis: RedisServer) -> None:
        self.folder = folder
        self.redis = redis
        free = list(free_ports(len(NAMES) + SPARE))
        self.ports = dict(zip(NAMES, free, strict=False))
        self.spare_ports = free[len(NAMES) :]
        self.programs: dict[str, Program] = {}

    @property
    def issuer(self) -> str:
        """Where users sign in."""
        return f"http://localhost:{self.ports['identity']}"

    def environ(self, name: str) -> dict[str, str]:
        """Return the settings of a gateway."""
        calm = {**CALM, "BFF_PORT": str(self.ports[name])}
        policies = self.folder / f"{name}.toml"
        services = {one: self.ports[one] for one in SERVICES}
        common = {**calm, **addresses(services), "BFF_POLICIES": str(policies)}
        journal = f"sqlite:///{self.folder / name}-journal.sqlite3"
        local = {**common, "BFF_ENV": "development", "BFF_JOURNAL_URL": journal}
        signing = {"BFF_AUTH": "none", "BFF_ISSUER": self.issuer}
        shared = {f"BFF_{one}_URL": self.redis.url for one in ("LIMITS", "IDEMPOTENCY", "CACHE")}
        catalog = f"http://127.0.0.1:{self.ports['catalog']}"
        return {
            "mobile": {**local, "BFF_AUTH": "demo"},
            "desktop": {**local, "BFF_AUTH": "demo"},
            "web": {**local, "BFF_AUTH": "demo"},
            "native": {**local, **signing},
            "signin": {
                **local,
                **signing,
                **shared,
                "BFF_JOURNAL_URL": self.redis.url,
                "BFF_SESSION_URL": self.redis.url,
                "BFF_PUBLIC_URL": f"http://localhost:{self.ports['signin']}",
                "BFF_CLIENT_ID": "web",
                "BFF_CLIENT_SECRET": WEB_SECRET,
                "BFF_SESSION_KEYS": SESSION_KEY,
            },
            "kiosk": {
                **common,
                **shared,
                "BFF_ENV": "production",
                "BFF_MAX_CONCURRENT": str(MAX_CONCURRENT),
                "BFF_ALLOWED_HOSTS": "127.0.0.1,kiosk.example",
                "BFF_TRUSTED_HOPS": "127.0.0.1",
                "BFF_CORS_ORIGINS": "https://shop.example,https://*.preview.example",
                "BFF_CORS_CREDENTIALS": "true",
                "BFF_API_KEYS_URL": f"sqlite:///{self.folder / 'kiosk-keys.sqlite3'}",
                "BFF_OPERATOR_TOKEN": OPERATOR_TOKEN,
                "BFF_PURGE_SECRET": PURGE_SECRET,
                "BFF_SECRET_KIOSK": "a secret that no provider is shown",
                **{f"BFF_UPSTREAM_{one}": catalog for one in ("PLAIN", "SCARCE", "LOCKED")},
                "BFF_UPSTREAM_FRAGILE": catalog,
                "BFF_UPSTREAM_ABSENT": "http://127.0.0.1:9",
            },
        }[name]

    def start(self) -> None:
        """Start everything at once and wait until all of it serves."""
        first = self.ports[SERVICES[0]]
        environ = {
            "SERVICES_PORT": str(first),
            "SERVICES_ISSUER": self.issuer,
            "SERVICES_WEB_URL": f"http://localhost:{self.ports['signin']}",
        }
        self.programs["services"] = Program(
            "services_mock", log=self.folder / "services.log", **environ
        ).start()
        for name in GATEWAYS:
            (self.folder / f"{name}.toml").write_text(policies_of(name))
            self.gateway(name).start()
        for name in SERVICES:
            self.programs["services"].wait_for(self.ports[name], "/healthz")
        for name in GATEWAYS:
            self.programs[name].wait_for(self.ports[name], "/readyz")

    def app(self, name: str) -> str:
        """Return what a gateway serves, as a server takes it."""
        return GATEWAYS[name]

    def gateway(self, name: str) -> Program:
        """Return a gateway that is not started yet."""
        log = self.folder / f"{name}.log"
        program = Program("bff_core", "serve", GATEWAYS[name], log=log, **self.environ(name))
        self.programs[name] = program
        return program

    def end(self) -> None:
        """End everything: gateways as an operator does, so that what they log then is there."""
        for name in (*GATEWAYS, "services"):
            if name in self.programs:
                self.programs[name].end()

    def call(self, service: str, method: str, path: str, value: object = None) -> Any:
        """Call a service directly."""
        body = None if value is None else json.dumps(value).encode()
        port = self.ports[service]
        headers = {"content-type": "application/json"} if body else {}
        answer = send(port, encode(port, method, path, headers, body), method)
        assert answer.status < 300, answer
        return answer.json() if answer.body else None

    @contextmanager
    def fault(self, service: str, kind: str, **options: object) -> Iterator[None]:
        """Break a service for a while."""
        self.call(service, "PUT", "/__faults__", {"faults": [{"kind": kind, **options}]})
        try:
            yield
        finally:
            self.call(service, "DELETE", "/__faults__")

    def log_lines(self) -> list[Mapping[str, Any]]:
        """Return what all gateways logged."""
        lines = "\n".join(self.programs[name].output for name in GATEWAYS).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def policies_of(name: str) -> str:
    """Return a policy file: no call is ended by a busy machine, and no circuit opens."""
    theirs = ("users", "catalog", "pricing", "inventory", "orders", "cart", "payments")
    services = (
        ("catalog", "reviews") if name == "kiosk" else (*theirs, "reviews", "recommendations")
    )
    tables = [
        f"[{one}]\ntimeout = 8\nattempt_timeout = 8\nbreaker.minimum_calls = 10000\n"
        for one in services
    ]
    # Prices are fresh for five seconds, which a busy machine may take between two requests.
    lasting = "" if name == "kiosk" else "[pricing.cache]\nttl = 3600\n"
    return "".join([*tables, lasting])


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Run everything."""
    with ExitStack() as opened:
        redis = RedisServer(folder)
        redis.start()
        opened.callback(redis.kill)
        house = House(folder, redis)
        opened.callback(house.end)
        house.start()
        yield house


def wait_until(is_true: Any, seconds: float = 10.0) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, is_true
        time.sleep(0.02)
