"""The environment of the overload test: services that can fail, and gateways."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Literal

from bench.harness.machine import Cores
from bench.harness.nginx import SERVICES, Services, fill_in
from bench.harness.payloads import Payloads
from bench.harness.procfs import cpu_seconds, read_core
from bench.harness.programs import ROOT, free_ports, running, wait_until_ready
from bench.overload.generator import Generator, Kind, Run

CONFIGURATION = Path(__file__).with_name("services.conf")
COMMAND = (sys.executable, "-m", "bff_core", "serve", "bench.overload.app:app", "--port")

Fault = Literal["errors", "gone"]

MODES = {
    "unguarded": {"BFF_MAX_LAG": "0", "BFF_BROWNOUT": "false", "BFF_MAX_CONCURRENT": "100000"},
    "refusing": {"BFF_BROWNOUT": "false"},
    "default": {},
}
"""A gateway's load shedding: off, only refusals, or the default."""


class WrongAnswers(Exception):
    """Some answers were not allowed; the message lists them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running gateway, and what else runs on the machine; pids are roots of process trees."""

    port: int
    pid: int
    services: int
    cores: Cores

    def offer(
        self,
        kinds: Sequence[Kind],
        seconds: float,
        tick: Callable[[float], object] = lambda _: None,
    ) -> Run:
        """Load the gateway and measure both cores; raises WrongAnswers."""
        generator = Generator(self.port)
        before = self._read()
        try:
            run = generator.drive(kinds, seconds, tick=tick)
        finally:
            generator.close()
        spent = [after - earlier for after, earlier in zip(self._read(), before, strict=True)]
        elapsed, gateway, load, gateway_core, load_core = spent
        run.cpu = gateway / elapsed
        run.disturbed = max(0.0, gateway_core - gateway, load_core - load) / elapsed
        wrong = Counter(one.verdict for one in run.sent if one.verdict.startswith("wrong"))
        if wrong:
            counts = (f"{count} x {what}" for what, count in wrong.most_common(5))
            raise WrongAnswers(", ".join(counts))
        return run

    def _read(self) -> tuple[float, ...]:
        """Return seconds: of the clock, of gateway and load, of both cores."""
        cores = (read_core(core) for core in (self.cores.gateway, self.cores.load))
        load = cpu_seconds(self.services) + process_time()
        busy = (core.busy + core.stolen for core in cores)
        return perf_counter(), cpu_seconds(self.pid), load, *busy


@dataclass(frozen=True, slots=True)
class Ground:
    """The services, a folder, and the cores."""

    services: Services
    payloads: Payloads
    run: Path
    cores: Cores

    @contextmanager
    def gateway(self, mode: str) -> Iterator[Stage]:
        """Serve a gateway on its core."""
        port = free_ports(1)[0]
        environment = {
            "BFF_ENV": "production",
            "BFF_ALLOWED_HOSTS": "127.0.0.1",
            "BFF_LOG": "off",
            "PYTHONPATH": str(ROOT),
            **{
                f"BFF_UPSTREAM_{name.upper()}": f"http://{self.services.address(name)}"
                for name in SERVICES
            },
            **MODES[mode],
        }
        log, core = self.run / f"{mode}.log", str(self.cores.gateway)
        command = (*COMMAND, str(port))
        with running(command, cores=core, log=log, environment=environment) as process:
            wait_until_ready(process, port, "/screen/1", log)
            yield Stage(port, process.pid, self.services.pid, self.cores)

    def begin(self, fault: Fault) -> None:
        """Break the users service, and count its requests from now on."""
        self._arrivals.write_bytes(b"")
        (self.run / fault).touch()

    def end(self, fault: Fault) -> int:
        """Repair it; return how many requests arrived while it was broken."""
        (self.run / fault).unlink()
        return self._arrivals.read_bytes().count(b"\n")

    @property
    def _arrivals(self) -> Path:
        return self.run / "arrivals.log"


@contextmanager
def standing(payloads: Payloads, *, run: Path, cores: Cores) -> Iterator[Ground]:
    """Serve the payloads from the load's core, which this process shares, while it lasts."""
    run.chmod(0o755)
    os.sched_setaffinity(0, {cores.load})
    for service, body in payloads.files.items():
        (run / f"{service}.json").write_bytes(body)
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    words = {f"{service.upper()}_PORT": port for service, port in ports.items()}
    configuration, log = run / "overload.conf", run / "services.log"
    fill_in(CONFIGURATION, configuration, {"RUN": run, **words})
    command = ["nginx", "-e", "stderr", "-c", str(configuration)]
    with running(command, cores=str(cores.load), log=log, environment={}) as process:
        wait_until_ready(process, ports["users"], "/users/1", log)
        yield Ground(Services(ports, process.pid), payloads, run, cores)
