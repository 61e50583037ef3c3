"""Compares one worker with two: the same gateway on all cores, beside the load generator."""

from bench.harness.comparison import Ground
from bench.harness.peers import BFF, Peer, serve_with_ours, started
from bench.harness.report import Json, row_of
from bench.harness.sample import measure


def measure_workers(ground: Ground) -> list[Json]:
    """Return a row for one and one for two workers; raises NotReady or WrongAnswer.

    With two cores the second worker shares one with load generator and services, so the rate
    shows less than it would on a larger machine: the CPU per request shows what sharing costs.
    """
    cores = f"{ground.cores.gateway},{ground.cores.load}"
    rows = []
    for workers in (1, 2):
        serve = serve_with_ours("--workers", str(workers))
        peer = Peer("bff", serve, environment=BFF.environment)
        with started(peer, ground.services, run=ground.run, cores=cores) as gateway:
            ground.verify(gateway)
            sample = measure(gateway, ground.services.pid, ground.plan, ground.cores)
        rows.append({"workers": workers} | row_of("bff", sample))
    return rows
