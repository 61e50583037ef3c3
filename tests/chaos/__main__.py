"""`python -m tests.chaos --seed N --minutes M`: random failures all over the shop."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.invariants import InvariantReport
from tests.chaos.run import TIMEOUT, Chaos, Plan
from tests.processes.process import ForkServer
from tests.processes.site import Shop, Site
from tests.redis_server import RedisServer


class Redis(RedisServer):
    """A Redis that loses its data when it restarts."""

    def restart(self) -> None:
        """Start it again."""
        self.start()


def main() -> int:
    """Run, report, and return the exit status: 1 when an invariant was broken."""
    options = _parser().parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    plan = Plan(seed, options.minutes * 60, has_faults=not options.calm)
    replay = f"make {'soak' if options.calm else 'chaos'} SEED={seed} MINUTES={options.minutes:g}"
    sys.stdout.write(f"{replay}\n")
    folder, began = Path(tempfile.mkdtemp(prefix="chaos-")), time.monotonic()
    report = run(plan, folder)
    took = time.monotonic() - began
    if report.is_good:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"\nlogs of all processes: {folder}\n")
    sys.stdout.write(f"\n{report.text()}\n")
    sys.stdout.write(f"{'held' if report.is_good else 'BROKEN'} in {took:.0f} s: {replay}\n")
    return 0 if report.is_good else 1


def run(plan: Plan, folder: Path) -> InvariantReport:
    """Start the shop, run the plan against it, and return the report."""
    with ExitStack() as ending:
        fork_server = ForkServer()
        ending.callback(fork_server.close)
        shared = _redis(folder, ending)
        environ = {"BFF_TIMEOUT": str(TIMEOUT), "BFF_LOG_LEVEL": "warning"}
        for redis in shared.values():
            names = ("BFF_LIMITS_URL", "BFF_IDEMPOTENCY_URL", "BFF_CACHE_URL")
            environ |= dict.fromkeys(names, redis.url)
        site = Site(fork_server, folder)
        shop = Shop(site, environ)
        ending.enter_context(site.running(*shop.processes))
        return asyncio.run(Chaos(shop, plan, others=shared).run())


def _redis(folder: Path, ending: ExitStack) -> dict[str, Redis]:
    """Start a Redis if one is installed; without it each gateway has stores of its own."""
    if shutil.which("redis-server") is None:
        return {}
    redis = Redis(folder)
    ending.callback(redis.kill)
    ending.callback(redis.thaw)
    redis.start()
    return {"redis": redis}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="seed of all random choices (random by default)")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long, at least one round")
    parser.add_argument("--calm", action="store_true", help="without faults: a soak")
    return parser


if __name__ == "__main__":
    sys.exit(main())
