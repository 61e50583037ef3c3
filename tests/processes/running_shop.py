"""The whole shop as `bff dev` runs it, on ports of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes.ports import free_ports
from tests.processes.settings import shop_environment

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
"""How long the shop may take to end."""


@dataclass(frozen=True)
class ShopAddresses:
    """Where the console and the gateways of a run are."""

    console: str
    web: str
    mobile: str
    desktop: str


@contextmanager
def running_shop(auth: str) -> Iterator[ShopAddresses]:
    """Run ten services and three gateways; `auth` is their BFF_AUTH."""
    console, web, mobile, desktop, *services = free_ports(14)
    named = {"CONSOLE": console, "WEB": web, "MOBILE": mobile, "DESKTOP": desktop}
    named["SERVICES"] = services[0]
    ports = {f"{name}_PORT": str(port) for name, port in named.items()}
    environ = shop_environment(**ports, BFF_AUTH=auth)
    command = [sys.executable, "-m", "bff_core", "dev"]
    running = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None
    try:
        lines = iter(running.stdout.readline, "")
        assert any("event=run.ready" in line for line in lines)
        hosts = (f"http://localhost:{one}" for one in (console, web, mobile, desktop))
        yield ShopAddresses(*hosts)
    finally:
        running.terminate()
        running.communicate(timeout=SECONDS)
