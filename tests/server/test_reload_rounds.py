"""Reloads of many workers: all of them switch, or none does."""

import asyncio
from types import SimpleNamespace
from typing import Self

import pytest

from bff_core.errors import ConfigurationError
from bff_core.events import Events, ReloadSkipped
from bff_core.server.reload_rounds import PREPARE_SECONDS, ReloadRounds
from bff_core.server.reloading import Reloading

pytestmark = pytest.mark.virtual_time


class Worker:
    """A worker that answers with a refusal, empty text or None, after some seconds."""

    def __init__(self, answer: str | None = "", seconds: float = 0.0) -> None:
        self.answer, self.seconds = answer, seconds
        self.heard: list[str] = []

    async def prepare(self, number: int) -> str | None:
        self.heard.append(f"prepare {number}")
        await asyncio.sleep(self.seconds)
        return self.answer

    def conclude(self, number: int, refusal: str) -> None:
        self.heard.append(f"abandon {number}: {refusal}" if refusal else f"switch {number}")


async def rounds(*workers: Worker, requests: int = 1, seconds: float = 60.0) -> None:
    """Hold rounds for some seconds."""
    holding = ReloadRounds(lambda: workers)
    task = asyncio.create_task(holding.run())
    for _ in range(requests):
        holding.request()
        await asyncio.sleep(0.5)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait({task})


async def test_all_switch_once_the_slowest_is_ready():
    """No worker is ahead for longer than a line takes."""
    workers = Worker(), Worker(seconds=3.0)

    await rounds(*workers)

    assert [one.heard for one in workers] == [["prepare 1", "switch 1"]] * 2


async def test_one_refusal_stops_all():
    """Each learns the reason."""
    workers = Worker(), Worker("proxy.toml:3: no"), Worker()

    await rounds(*workers)

    expected = ["prepare 1", "abandon 1: proxy.toml:3: no"]
    assert [one.heard for one in workers] == [expected] * 3


async def test_a_worker_that_ends_stops_no_other():
    """Its successor reads the new files when it starts."""
    workers = Worker(None), Worker()

    await rounds(*workers)

    assert workers[1].heard == ["prepare 1", "switch 1"]


async def test_a_worker_that_hangs_stops_all():
    """They wait 30 seconds for it, and serve meanwhile."""
    workers = Worker(), Worker(seconds=PREPARE_SECONDS + 1)

    await rounds(*workers)

    assert workers[0].heard[1] == "abandon 1: a worker did not prepare within 30 s"


async def test_requests_during_a_round_are_one_more_round():
    """What was written after the round began is read by the next."""
    worker = Worker(seconds=2.0)

    await rounds(worker, requests=3)

    assert worker.heard == ["prepare 1", "switch 1", "prepare 2", "switch 2"]


class Prepared:
    """What a gateway has prepared."""

    changes = ("users.timeout: 5.0 -> 3.0",)

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def switch(self) -> None:
        self._done.append("switch")

    def discard(self) -> None:
        self._done.append("discard")


class Gateway:
    """A gateway whose files are right, or wrong."""

    reloaded_files = ("policies.toml",)

    def __init__(self, wrong: str = "", seconds: float = 0.0) -> None:
        self.done: list[str] = []
        self.heard: list[object] = []
        self.events = Events(self.heard.append)
        self._wrong, self._seconds = wrong, seconds

    @property
    def route_reload(self) -> Self:
        """Its routes are the gateway itself."""
        return self

    @property
    def running(self) -> SimpleNamespace:
        """It has no policies."""
        return SimpleNamespace(policies=None)

    async def prepare(self) -> Prepared:
        """Prepare for a round."""
        await asyncio.sleep(self._seconds)
        if self._wrong:
            raise ConfigurationError(self._wrong)
        return Prepared(self.done)


class Side:
    """A worker's side of the talk, and what it said."""

    def __init__(self, gateway: Gateway) -> None:
        self.said: list[str] = []
        self.reloading = Reloading(gateway, asyncio.ensure_future, self.said.append)

    async def hear(self, *lines: str) -> None:
        for line in lines:
            self.reloading.take(line)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


async def test_an_operator_gets_the_outcome_of_all_workers():
    """The request waits for a round that began after it."""
    gateway = Gateway()
    side = Side(gateway)
    outcome = asyncio.create_task(side.reloading.reload())
    await side.hear("prepare 7", "switch 7")

    assert await outcome == Prepared.changes
    assert side.said == ["reload", "prepared 7"]
    assert gateway.done == ["switch"]


@pytest.mark.parametrize(
    ("own", "said", "skipped"),
    [
        ("a\nb", ["refused 7 a b"], []),
        ("", ["prepared 7"], [ReloadSkipped("another worker refused: a b")]),
    ],
    ids=["of its own", "of another worker"],
)
async def test_a_refusal_drops_what_was_prepared(own, said, skipped):
    """The operator gets the reason."""
    gateway = Gateway(own)
    side = Side(gateway)
    outcome = asyncio.create_task(side.reloading.reload())
    await side.hear("prepare 7", "abandon 7 a b")

    with pytest.raises(ConfigurationError, match=r"a\sb"):
        await outcome
    assert side.said == ["reload", *said]
    assert gateway.done == ["discard"] * (not own)
    assert gateway.heard == skipped


async def test_what_is_prepared_too_late_is_dropped():
    """The round was abandoned while the worker prepared."""
    gateway = Gateway(seconds=5.0)
    side = Side(gateway)
    await side.hear("prepare 7", "abandon 7 too slow")
    await asyncio.sleep(6.0)
    await side.hear("prepare 8")
    await asyncio.sleep(6.0)
    await side.hear("switch 8")

    assert gateway.done == ["discard", "switch"]
    assert side.said == ["prepared 7", "prepared 8"]
