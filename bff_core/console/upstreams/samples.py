"""What metrics know of the calls of services: rates, latencies, histograms."""

from collections.abc import Mapping, Sequence

import msgspec

from bff_core.console.app import Console
from bff_core.console.model import Bucket, UpstreamFigures


class UpstreamSamples(msgspec.Struct):
    """The figures of one service, its histogram, and the course of the share that failed."""

    figures: UpstreamFigures
    buckets: list[Bucket] = []
    failures: list[float | None] = []

    def slower_than(self, seconds: float) -> float:
        """Return the share of calls that took longer."""
        calls = sum(one.calls for one in self.buckets)
        slow = sum(one.calls for one in self.buckets if one.upper > seconds)
        return slow / calls if calls else 0.0


async def samples_of(console: Console, gateways: Sequence[str]) -> Mapping[str, UpstreamSamples]:
    """Return what metrics know of each service; nothing where they are off."""
    del console, gateways
    return {}
