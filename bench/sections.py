"""The further tables: proxies, layers, imports, start to ready, workers."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.harness.comparison import Ground
from bench.harness.load import WrongAnswer
from bench.harness.nginx import SERVICES
from bench.harness.peers import FOLDER, SERVER
from bench.harness.programs import ROOT, NotReady
from bench.harness.report import Json, table
from bench.proxy import SIZE_MIB, measure_downloads, measure_requests
from bench.startup import MODULES, Startable, measure_import, measure_start
from bench.workers import measure_workers

SHOP = ("catalog", "pricing", "inventory", "cart", "payments", "reviews")
APPS = {"bench": "app:app"} | {
    f"bffs.{name}": f"bffs.{name}.app:app" for name in ("web", "mobile", "desktop")
}


class Unmeasured(Exception):
    """A section can't be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report; `columns` maps the keys of its rows to their titles."""

    key: str
    title: str
    columns: dict[str, str]
    measure: Callable[[Ground], list[Json]]

    def written(self, rows: Sequence[Json]) -> str:
        """Return title and table."""
        cells = [[form.format(row[key]) for key, form in self.columns.items()] for row in rows]
        return f"{self.title}\n{table([*self.columns], cells)}"


def layers(ground: Ground) -> list[Json]:
    """Measure the layers of the upstream stack."""
    return alone("bench.layers", ground)


def auth(ground: Ground) -> list[Json]:
    """Measure authentication."""
    return alone("bench.auth", ground)


def alone(module: str, ground: Ground) -> list[Json]:
    """Run a module in an interpreter of its own, on the gateway's core; return its rows."""
    command = ["taskset", "-c", str(ground.cores.gateway), sys.executable, "-m", module]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Unmeasured(ended.stderr.strip().rpartition("\n")[2])
    rows: list[Json] = json.loads(ended.stdout)
    return rows


def imports(_ground: Ground) -> list[Json]:
    """Time the modules that a gateway imports; a missing one is left out."""
    found = [measured for module in MODULES if (measured := measure_import(module)) is not None]
    return [
        {
            "module": measured.module,
            "ms": round(measured.total_ms, 1),
            "own time by package (ms, traced)": ", ".join(
                f"{package} {spent:.0f}" for package, spent in measured.heaviest.items()
            ),
        }
        for measured in found
    ]


def ready(ground: Ground) -> list[Json]:
    """Time each gateway from its spawn to ready; all upstreams lead to the bench's services."""
    address = f"http://{ground.services.address('users')}"
    names = (*SERVICES, *SHOP)
    upstreams = {f"BFF_UPSTREAM_{name.upper()}": address for name in names}
    environment = {"BFF_ENV": "development", "BFF_AUTH": "demo", **upstreams}
    rows = []
    for name, target in APPS.items():
        found = {"PYTHONPATH": folder_of(name)}
        app = Startable(name, (*SERVER, target, "--port"), environment | found)
        log = ground.run / f"ready-{name}.log"
        try:
            ms = measure_start(app, core=ground.cores.gateway, log=log)
        except NotReady as error:
            print(f"  {name}: skipped: {error}", flush=True)
        else:
            rows.append({"app": name, "ready_ms": round(ms)})
    return rows


def folder_of(name: str) -> str:
    """Return where an application is imported from."""
    return str(FOLDER / "bff") if name == "bench" else str(ROOT)


def workers(ground: Ground) -> list[Json]:
    """Compare one worker with two."""
    try:
        return measure_workers(ground)
    except (NotReady, WrongAnswer) as error:
        raise Unmeasured(str(error)) from error


def proxied(ground: Ground) -> list[Json]:
    """Compare a proxied GET of 1 KB with that of other proxies."""
    try:
        return measure_requests(ground)
    except (NotReady, WrongAnswer) as error:
        raise Unmeasured(str(error)) from error


def downloads(ground: Ground) -> list[Json]:
    """Compare how proxies pass a large body on."""
    try:
        return measure_downloads(ground)
    except (NotReady, WrongAnswer, OSError) as error:
        raise Unmeasured(str(error)) from error


SECTIONS = (
    Section(
        "proxy",
        "A proxied GET of 1 KB, keep-alive; CPU of ours over that of each",
        {
            "proxy": "{}",
            "cpu_us": "{:,.0f}",
            "rps": "{:,.0f}",
            "p99_ms": "{}",
            "ours": "{}",
            "verdict": "{}",
            "disturbed": "{:.0%}",
        },
        proxied,
    ),
    Section(
        "download",
        f"{SIZE_MIB} MiB through a proxy; bytes per CPU second of ours over those of each",
        {
            "proxy": "{}",
            "mib_per_cpu_second": "{:,}",
            "seconds": "{}",
            "growth_mib": "{}",
            "ours": "{}",
            "verdict": "{}",
        },
        downloads,
    ),
    Section(
        "layers",
        "Constant reply, layer by layer",
        {"stack": "{}", "us": "{:.2f}", "added_us": "{:+.2f}"},
        layers,
    ),
    Section(
        "auth",
        "Authentication",
        {"who": "{}", "us": "{:.2f}", "verdict": "{}"},
        auth,
    ),
    Section(
        "imports",
        "Importing into a fresh interpreter",
        {"module": "{}", "ms": "{:,.0f}", "own time by package (ms, traced)": "{}"},
        imports,
    ),
    Section("ready", "From spawn to ready", {"app": "{}", "ready_ms": "{:,}"}, ready),
    Section(
        "workers",
        "One worker against two, sharing the machine with the load",
        {"workers": "{}", "cpu_us": "{:,.0f}", "rps": "{:,.0f}", "p99_ms": "{}", "rss_mib": "{}"},
        workers,
    ),
)
