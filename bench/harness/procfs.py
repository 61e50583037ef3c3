"""Reads CPU time and memory of process trees, and the use of cores, from Linux's /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/<pid>/stat: seconds of CPU (children that were waited for included), bytes.

    Threads count with their process. See proc(5).
    """

    pid: int
    parent: int
    cpu: float
    rss: int


@dataclass(frozen=True, slots=True)
class Core:
    """Seconds that one core worked, and seconds that the hypervisor stole."""

    busy: float
    stolen: float

    def spent_since(self, earlier: "Core") -> float:
        """Return the seconds that it worked or was stolen."""
        return self.busy - earlier.busy + self.stolen - earlier.stolen


def parse_process(line: str) -> Process:
    """Read a line of /proc/<pid>/stat; the command may hold spaces and parentheses."""
    pid, _, rest = line.partition(" (")
    fields = rest.rpartition(")")[2].split()
    ticks = sum(int(fields[index]) for index in range(11, 15))
    return Process(
        pid=int(pid),
        parent=int(fields[1]),
        cpu=ticks / TICKS_PER_SECOND,
        rss=int(fields[21]) * PAGE,
    )


def parse_cores(text: str) -> dict[int, Core]:
    """Read /proc/stat: each core's seconds since boot."""
    cores: dict[int, Core] = {}
    for line in text.splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _idle, _waiting, irq, soft_irq, stolen = map(int, fields[:8])
            cores[int(name[3:])] = Core(
                busy=(user + nice + system + irq + soft_irq) / TICKS_PER_SECOND,
                stolen=stolen / TICKS_PER_SECOND,
            )
    return cores


def tree_of(root: int, processes: list[Process]) -> list[Process]:
    """Return the process `root` and its descendants."""
    members = {root}
    grown = True
    while grown:
        found = {each.pid for each in processes if each.parent in members} - members
        members |= found
        grown = bool(found)
    return [each for each in processes if each.pid in members]


def read_tree(root: int) -> list[Process]:
    """Return the living processes of a tree; a process that ends meanwhile is left out."""
    processes = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                processes.append(parse_process((folder / "stat").read_text()))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return tree_of(root, processes)


def cpu_seconds(root: int) -> float:
    """Return the CPU time that a process tree has used, user and system."""
    return sum(process.cpu for process in read_tree(root))


def rss_mib(root: int) -> float:
    """Return a process tree's resident memory in MiB; pages that it shares count each time."""
    return sum(process.rss for process in read_tree(root)) / 2**20


def read_core(core: int) -> Core:
    """Return the times of one core since boot."""
    return parse_cores((PROC / "stat").read_text())[core]
