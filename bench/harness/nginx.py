"""Renders nginx configurations, and runs the nginx that plays the three services."""

import grp
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.harness.payloads import Payloads
from bench.harness.programs import free_ports, running, wait_until_ready

CONFIGURATION = Path(__file__).parents[1] / "upstream" / "nginx.conf"
SERVICES = ("users", "orders", "recommendations")


@dataclass(frozen=True, slots=True)
class Services:
    """The address and the process of the three services."""

    ports: Mapping[str, int]
    pid: int

    def address(self, service: str) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.ports[service]}"


def fill_in(template: Path, target: Path, words: Mapping[str, object]) -> None:
    """Write a configuration with each @WORD@ replaced; workers run as the current user."""
    account, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    text = template.read_text()
    for word, value in {"USER": account, "GROUP": group, **words}.items():
        text = text.replace(f"@{word}@", str(value))
    target.write_text(text)


@contextmanager
def serving(payloads: Payloads, *, run: Path, core: int) -> Iterator[Services]:
    """Serve the payloads from `core` while the context lasts."""
    for service, body in payloads.files.items():
        (run / f"{service}.json").write_bytes(body)
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    words = {f"{service.upper()}_PORT": port for service, port in ports.items()}
    configuration, log = run / "upstream.conf", run / "upstream.log"
    fill_in(CONFIGURATION, configuration, {"RUN": run, **words})
    command = ["nginx", "-e", "stderr", "-c", str(configuration)]
    with running(command, cores=str(core), log=log, environment={}) as process:
        wait_until_ready(process, ports["users"], "/users/1", log)
        yield Services(ports, process.pid)
