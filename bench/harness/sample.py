"""Measures one run of one peer: CPU, latency, and how busy the machine was."""

import resource
from dataclasses import dataclass, fields
from statistics import median

from bench.harness.load import drive
from bench.harness.machine import Cores
from bench.harness.peers import Running
from bench.harness.procfs import Core, cpu_seconds, read_core, rss_mib


@dataclass(frozen=True, slots=True)
class Plan:
    """The durations of warm-up and measurement (whole seconds), and the runs per peer."""

    warm_up: int = 2
    seconds: int = 5
    runs: int = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one run, or the median of several.

    `cpu_us` is the CPU time of the gateway's process tree per request. `load_busy` is the share
    of their core that load generator and services used: near 1 they, and not the gateway, limit
    the requests per second. `disturbed` is the larger of the shares of the two cores that went to
    somebody else.
    """

    cpu_us: float
    rps: float
    p50_ms: float
    p99_ms: float
    rss_mib: float
    load_busy: float
    disturbed: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks of a run: CPU seconds of the gateway and of its load, and the two cores."""

    gateway: float
    load: float
    gateway_core: Core
    load_core: Core

    @classmethod
    def take(cls, gateway: int, services: int, cores: Cores) -> "Reading":
        """Read all clocks now; `gateway` and `services` are roots of process trees."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(
            gateway=cpu_seconds(gateway),
            load=cpu_seconds(services) + ended.ru_utime + ended.ru_stime,
            gateway_core=read_core(cores.gateway),
            load_core=read_core(cores.load),
        )


def measure(gateway: Running, services: int, plan: Plan, cores: Cores) -> Sample:
    """Warm a peer up, then load it and measure it; raises WrongAnswer."""
    repeats = gateway.peer.repeats
    drive(gateway.url, seconds=plan.warm_up, core=cores.load, repeats=repeats)
    before = Reading.take(gateway.pid, services, cores)
    load = drive(gateway.url, seconds=plan.seconds, core=cores.load, repeats=repeats)
    after = Reading.take(gateway.pid, services, cores)
    used, loaded = after.gateway - before.gateway, after.load - before.load
    disturbed = max(
        after.gateway_core.spent_since(before.gateway_core) - used,
        after.load_core.spent_since(before.load_core) - loaded,
    )
    return Sample(
        cpu_us=used / load.requests * 1e6,
        rps=load.rps,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        rss_mib=rss_mib(gateway.pid),
        load_busy=loaded / load.duration,
        disturbed=max(0.0, disturbed / load.duration),
    )


def median_of(samples: list[Sample]) -> Sample:
    """Return the median of each figure by itself."""
    names = [field.name for field in fields(Sample)]
    return Sample(*(median(getattr(sample, name) for sample in samples) for name in names))
