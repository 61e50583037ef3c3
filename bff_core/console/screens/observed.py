"""Adds what metrics have observed of a screen: how long its parts and its answers take."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.model import ClientView, PlanNode
from bff_core.observe.metrics.histogram import added, quantile
from bff_core.observe.metrics.samples import Samples, decoded_samples
from bff_core.observe.metrics.scrape import SAMPLES

PARTS: Final = "bff_part_duration_seconds"

Buckets = Mapping[int, int]


async def add_observed(
    console: Console,
    gateways: Sequence[str],
    screen: str,
    nodes: Sequence[PlanNode],
    clients: Sequence[ClientView],
) -> None:
    """Set p50 and p95 (seconds) of parts, and p95 of clients, as far as metrics know them.

    Those of parts count since the gateways' processes started, those of clients in the last
    15 minutes.
    """
    samples = await _samples(console, gateways)
    every = [one for some in samples.values() for one in some]
    for node in nodes:
        buckets = _merged(_of_part(one, screen, node.part) for one in every)
        node.p50, node.p95 = quantile(buckets, 0.5), quantile(buckets, 0.95)
    for client in clients:
        label = client.route if " " in client.route else f"query {client.route}"
        steps = [step for one in samples.get(client.gateway, ()) for step in one.steps]
        found = [step.views[label].buckets for step in steps if label in step.views]
        client.p95 = quantile(_merged(found), 0.95)


async def _samples(console: Console, gateways: Sequence[str]) -> dict[str, list[Samples]]:
    """Return the samples of all processes, without gateways that have no metrics."""
    found = await asyncio.gather(
        *(console.sources.send_all(one, SAMPLES) for one in gateways), return_exceptions=True
    )
    samples: dict[str, list[Samples]] = {}
    for gateway, answers in zip(gateways, found, strict=True):
        if not isinstance(answers, BaseException):
            samples[gateway] = [decoded_samples(one.body) for one in answers.answered]
        elif not isinstance(answers, ConsoleProblem):
            raise answers
    return samples


def _of_part(samples: Samples, screen: str, part: str) -> Buckets:
    """Return how often a part took how long in one process, by bucket."""
    for labels, sample in samples.totals.histograms.get(PARTS, ()):
        if tuple(labels) == (screen, part):
            return {place: count for place, count in enumerate(sample.counts) if count}
    return {}


def _merged(every: Iterable[Buckets]) -> Buckets:
    found: Buckets = {}
    for one in every:
        found = added(found, one)
    return found
