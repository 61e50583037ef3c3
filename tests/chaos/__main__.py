"""`python -m tests.chaos --seed N --minutes M`: storms over the whole shop, and what they show."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.invariants import Verdict
from tests.chaos.run import TIMEOUT, Chaos, Plan
from tests.processes.process import Nursery
from tests.processes.site import Shop, Site
from tests.redis_server import RedisServer


class Redis(RedisServer):
    """A Redis that comes back with nothing of what it knew."""

    def restart(self) -> None:
        """Start it again."""
        self.start()


def main() -> int:
    """Run, report, and return the exit status: 1 when an invariant was broken."""
    asked = _parser().parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if asked.seed is None else asked.seed
    plan = Plan(seed, asked.minutes * 60, has_faults=not asked.calm)
    replay = f"make {'soak' if asked.calm else 'chaos'} SEED={seed} MINUTES={asked.minutes:g}"
    sys.stdout.write(f"{replay}\n")
    folder, began = Path(tempfile.mkdtemp(prefix="chaos-")), time.monotonic()
    verdict = run(plan, folder)
    took = time.monotonic() - began
    if verdict.is_good:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"\nlogs of all processes: {folder}\n")
    sys.stdout.write(f"\n{verdict.report()}\n")
    sys.stdout.write(f"{'held' if verdict.is_good else 'BROKEN'} in {took:.0f} s: {replay}\n")
    return 0 if verdict.is_good else 1


def run(plan: Plan, folder: Path) -> Verdict:
    """Start the shop, let the plan happen to it, and return what was found."""
    with ExitStack() as ending:
        nursery = Nursery()
        ending.callback(nursery.close)
        shared = _redis(folder, ending)
        environ = {"BFF_TIMEOUT": str(TIMEOUT), "BFF_LOG_LEVEL": "warning"}
        for redis in shared.values():
            names = ("BFF_LIMITS_URL", "BFF_IDEMPOTENCY_URL", "BFF_CACHE_URL")
            environ |= dict.fromkeys(names, redis.url)
        site = Site(nursery, folder)
        shop = Shop(site, environ)
        ending.enter_context(site.running(*shop.processes))
        return asyncio.run(Chaos(shop, plan, others=shared).run())


def _redis(folder: Path, ending: ExitStack) -> dict[str, Redis]:
    """Start a Redis where one is installed; without it the gateways count by themselves."""
    if shutil.which("redis-server") is None:
        return {}
    redis = Redis(folder)
    ending.callback(redis.kill)
    ending.callback(redis.thaw)
    redis.start()
    return {"redis": redis}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="what decides about everything (any one)")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long, at least one round")
    parser.add_argument("--calm", action="store_true", help="without faults: a soak")
    return parser


if __name__ == "__main__":
    sys.exit(main())
