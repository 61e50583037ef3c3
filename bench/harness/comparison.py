"""Runs a session: builds, starts, checks and measures all peers in turn."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness.answers import verify
from bench.harness.budget import Ratio, ratios_of
from bench.harness.load import WrongAnswer
from bench.harness.machine import Cores
from bench.harness.nginx import Services
from bench.harness.payloads import Payloads, Record
from bench.harness.peers import Peer, Running, Skipped, build, started
from bench.harness.programs import NotReady
from bench.harness.sample import Plan, Sample, measure, median_of

HELLO: Record = {"hello": "world"}


@dataclass(frozen=True, slots=True)
class Ground:
    """The environment of a session: the services and their answers, a folder, cores, a plan."""

    services: Services
    payloads: Payloads
    run: Path
    cores: Cores
    plan: Plan

    def verify(self, gateway: Running) -> None:
        """Raise WrongAnswer unless a peer answers the screen as it should."""
        payloads = self.payloads
        expected = {"trimmed": payloads.trimmed, "spliced": payloads.spliced, "hello": HELLO}
        verify(gateway, expected[gateway.peer.answer])


@dataclass(slots=True)
class Comparison:
    """The results of a session: runs by peer, and why peers were skipped or wrong."""

    taken: dict[str, list[Sample]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def samples(self) -> dict[str, Sample]:
        """The median of each peer whose answers were all correct."""
        return {
            name: median_of(taken)
            for name, taken in self.taken.items()
            if taken and name not in self.wrong
        }

    @property
    def ratios(self) -> list[Ratio]:
        """Our gateway against each peer."""
        return list(ratios_of({name: sample.cpu_us for name, sample in self.samples.items()}))


def compare(peers: Sequence[Peer], ground: Ground) -> Comparison:
    """Measure the peers; one that can't run or answers wrongly is left out, with the reason."""
    found = Comparison()
    with ExitStack() as stack:
        gateways = [gateway for peer in peers if (gateway := bring_up(peer, ground, stack, found))]
        for _ in range(ground.plan.runs):
            # In turn, so that a drift of the machine affects them all.
            for gateway in gateways:
                take(gateway, ground, found)
    return found


def bring_up(peer: Peer, ground: Ground, stack: ExitStack, found: Comparison) -> Running | None:
    """Build and start a peer; record why if that fails."""
    try:
        build(peer, ground.run / f"{peer.name}-build.log")
        cores = str(ground.cores.gateway)
        return stack.enter_context(started(peer, ground.services, run=ground.run, cores=cores))
    except (Skipped, NotReady) as error:
        found.skipped[peer.name] = str(error)
        print(f"  {peer.name}: skipped: {error}", flush=True)
        return None


def take(gateway: Running, ground: Ground, found: Comparison) -> None:
    """Measure a peer once between two checks of its answers, unless it was wrong before."""
    name = gateway.peer.name
    if name in found.wrong:
        return
    try:
        ground.verify(gateway)
        sample = measure(gateway, ground.services.pid, ground.plan, ground.cores)
        ground.verify(gateway)
    except WrongAnswer as error:
        found.wrong[name] = str(error)
        print(f"  {name}: WRONG: {error}", flush=True)
        return
    found.taken.setdefault(name, []).append(sample)
    print(f"  {name}: {sample.cpu_us:,.0f} us, {sample.rps:,.0f}/s", flush=True)
