"""Describes the machine, and assigns its cores."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.harness.programs import search_path

VERSIONS = {
    "node": ("--version",),
    "go": ("env", "GOVERSION"),
    "nginx": ("-v",),
}


@dataclass(frozen=True, slots=True)
class Cores:
    """The gateway has a core of its own; load generator and services share another."""

    gateway: int
    load: int

    @property
    def are_apart(self) -> bool:
        """Whether the machine has two cores."""
        return self.gateway != self.load


def choose_cores() -> Cores:
    """Return the first and the last core that this process may use."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(gateway=cores[0], load=cores[-1])


def describe() -> str:
    """Return processor, cores, memory, kernel and the versions of what runs the peers."""
    processor = find_field(Path("/proc/cpuinfo").read_text(), "model name") or platform.machine()
    memory = find_field(Path("/proc/meminfo").read_text(), "MemTotal") or "0 kB"
    gib = int(memory.split()[0]) / 2**20
    parts = [
        f"{processor}, {os.cpu_count()} cores, {gib:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {found}" for name in VERSIONS if (found := version_of(name))),
    ]
    return " · ".join(parts)


def find_field(text: str, name: str) -> str | None:
    """Return the value of the first `name : value` line."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def version_of(name: str) -> str | None:
    """Return a program's version number, or None where it is not installed."""
    program = shutil.which(name, path=search_path())
    if program is None:
        return None
    command = (program, *VERSIONS[name])
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    # nginx prints its version to stderr.
    words = (ended.stdout or ended.stderr).split()
    return words[-1].rpartition("/")[2].removeprefix("v").removeprefix("go") if words else None
