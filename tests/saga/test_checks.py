"""Steps over services without keys: a check finds out the outcome, and no effect happens twice."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core import Saga, SagaFailed, SagaPolicy, step
from bff_core.call import Attempt, Call, Reply
from bff_core.errors import (
    AttemptTimedOut,
    BadStatus,
    CircuitOpen,
    StoreUnavailable,
    TransportFailed,
)
from bff_core.saga.errors import SagaUnsettled
from bff_core.scope import Scope
from tests.saga.test_sagas import JSON, Life, Papers, now

pytestmark = pytest.mark.virtual_time

LATE = 20.0
NUMBERS = count()


@dataclass
class Till:
    """Services that keep no keys: whatever they receive happens, once per request.

    `story` says what happens to each next write: "ok"; "refused" (422); "lost" (done, and the
    connection breaks); "dropped" (not done, and it breaks); "broken" (not done, 500); "failed"
    (done, 500); "hang" (not done, and no end); "late" (done after `LATE`, and no reply); "slow"
    (the same, and the attempt times out at once); "unsent" (the circuit is open). `reads` says it
    of each next read.
    """

    story: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    scope: Scope | None = None

    def bind(self, scope):
        """Act for one request."""
        return Till(self.story, self.reads, self.effects, self.log, scope)

    async def write(self, effect):
        """Do something, as often as it is received."""
        what = self.story.pop(0) if self.story else "ok"
        call = Call("till", "POST", "/", "POST /", now() + 9)
        self.scope.step.unsafe_calls.append(call)
        await self._receive(what, effect, call)
        return effect

    async def finds(self, effect):
        """Read whether something happened."""
        assert self.scope.step.is_check
        what = self.reads.pop(0) if self.reads else "ok"
        call = Call("till", "GET", "/", "GET /", now() + 9)
        await self._receive(what, "", call)
        return effect in self.effects

    async def _receive(self, what, effect, call):
        if what == "unsent":
            raise CircuitOpen("open", call=call, retry_after=1.0)
        self.log.append(effect)
        call.trail.append(Attempt("till", now()))
        if effect and what in {"ok", "lost", "failed"}:
            self.effects.append(effect)
        if effect and what in {"late", "slow"}:
            asyncio.get_running_loop().call_later(LATE, self.effects.append, effect)
        if what in {"hang", "late"}:
            await asyncio.sleep(3600)
        if what in {"lost", "dropped"}:
            raise TransportFailed("cut", call=call, is_sent=True)
        if what == "slow":
            raise AttemptTimedOut("slow", call=call)
        if what in {"refused", "broken", "failed"}:
            raise BadStatus(Reply(422 if what == "refused" else 500, JSON), call=call)


class Paying(Saga):
    """Two steps that can be undone, then one that commits; each with a check."""

    policy = SagaPolicy(
        step_timeout=1.0, tries=3, backoff=0.05, pause=5.0, longest_pause=20.0, check_delay=25.0
    )

    till: Till

    async def found_hold(self) -> str | None:
        """Find the hold."""
        return await self.found("hold")

    async def found_charge(self) -> str | None:
        """Find the payment, refunded or not."""
        return await self.found("charge")

    async def found_order(self) -> str | None:
        """Find the order."""
        return await self.found("place")

    async def is_refunded(self, charge: str) -> bool:
        """Find out whether the payment is refunded."""
        return await self.till.finds(f"refund {charge}")

    async def is_released(self, hold: str) -> bool:
        """Return whether the hold is gone."""
        return await self.till.finds(f"release {hold}")

    async def found(self, what: str) -> str | None:
        """Find what this saga did."""
        name = f"{what} {await self.reference()}"
        return name if await self.till.finds(name) else None

    @step
    async def reference(self) -> str:
        """Make the name by which all that follows is found."""
        return f"r{next(NUMBERS)}"

    @step(check=found_hold)
    async def hold(self) -> str:
        """Hold the goods."""
        return await self.till.write(f"hold {await self.reference()}")

    @hold.compensation(check=is_released)
    async def release(self, hold: str) -> None:
        """Let go of it."""
        await self.till.write(f"release {hold}")

    @step(check=found_charge)
    async def charge(self) -> str:
        """Charge the money."""
        return await self.till.write(f"charge {await self.reference()}")

    @charge.compensation(check=is_refunded)
    async def refund(self, charge: str) -> None:
        """Give it back."""
        await self.till.write(f"refund {charge}")

    @step(check=found_order)
    async def place(self) -> str:
        """Place the order."""
        return await self.till.write(f"place {await self.reference()}")


class Counter:
    """One gateway over a till, and what came of it."""

    def __init__(self, story=(), reads=(), *, till=None, papers=None, kind=Paying):
        self.till = till or Till(list(story), list(reads))
        self.papers = papers or Papers()
        self.kind = kind
        self.life = Life(self.till, self.papers, kinds=[kind])

    async def pay(self, within=10.0, key="k-1"):
        """Run the saga as a view does, and return what it shows."""
        scope = Scope(now() + within, idempotency_key=key, audience="ann")
        saga = self.life.wiring.build(self.kind, scope, {})
        await saga.run()
        return await saga.place()

    def count(self, what):
        """Return how often something happened."""
        return sum(one.startswith(what) for one in self.till.effects)


@pytest.mark.parametrize(
    ("story", "writes"),
    [
        (["ok", "lost"], 3),
        (["ok", "failed"], 3),
        (["ok", "dropped"], 4),
        (["ok", "broken"], 4),
        (["ok", "broken", "lost"], 4),
        (["lost", "lost", "lost"], 3),
        (["dropped", "ok", "dropped", "ok", "dropped"], 6),
        (["ok", "ok", "failed"], 3),
    ],
)
async def test_a_check_decides_whether_a_write_is_sent_again(story, writes):
    """The check of a step whose reply was lost decides about a retry; the saga completes."""
    counter = Counter(story)

    assert (await counter.pay()).startswith("place")
    assert [counter.count(one) for one in ("hold", "charge", "place")] == [1, 1, 1]
    assert len([one for one in counter.till.log if one]) == writes
    await counter.life.kill()


@pytest.mark.parametrize("reads", [["broken"], ["dropped"], ["hang"], ["unsent"], ["refused"]])
async def test_a_check_that_fails_decides_nothing(reads):
    """While the check itself fails, nothing is sent; once it answers, the saga continues."""
    counter = Counter(["ok", "lost"], reads * 2)

    assert (await counter.pay()).startswith("place")
    assert counter.count("charge") == 1
    await counter.life.kill()


async def test_a_check_that_never_answers_leaves_the_step_unknown():
    """Nothing is sent again, and the other steps are compensated."""
    counter = Counter(["ok", "lost"], ["broken"] * 12)
    with pytest.raises(SagaUnsettled) as unsettled:
        await counter.pay()
    states = [one["state"] for one in unsettled.value.members["steps"]]
    counter.till.reads.clear()
    await asyncio.sleep(120)

    assert states == ["done", "undone", "unknown", "not-started"]
    assert [counter.count(one) for one in ("charge", "refund")] == [1, 1]
    assert counter.papers.is_settled
    await counter.life.kill()


@pytest.mark.parametrize("slow", ["slow", "late"])
async def test_nothing_found_right_after_a_timeout_proves_nothing(slow):
    """A slow service that charges after the timeout is not sent a second charge."""
    counter = Counter(["ok", slow])
    with suppress(SagaUnsettled):
        await counter.pay()
    await asyncio.sleep(120)

    assert [counter.count(one) for one in ("charge", "refund", "place")] == [1, 1, 0]
    assert counter.papers.is_settled
    await counter.life.kill()


async def test_a_commit_without_effect_is_retried_or_compensated():
    """The order is tried again; if that fails, completed steps are compensated."""
    counter = Counter(["ok", "ok", *["broken"] * 3])
    with pytest.raises(SagaFailed) as failed:
        await counter.pay()

    assert [one["state"] for one in failed.value.members["steps"]] == [
        *("done", "undone", "undone", "failed")
    ]
    assert [counter.count(one) for one in ("charge", "refund", "place")] == [1, 1, 0]
    assert counter.papers.is_settled
    await counter.life.kill()


@pytest.mark.parametrize("lost", ["lost", "dropped", "failed", "broken"])
async def test_a_compensation_whose_reply_was_lost_is_checked(lost):
    """Money is refunded once, whether or not the first refund took effect."""
    counter = Counter(["ok", "ok", "refused", lost])
    with pytest.raises(SagaFailed):
        await counter.pay()

    assert [counter.count(one) for one in ("charge", "refund", "release")] == [1, 1, 1]
    assert counter.papers.is_settled
    await counter.life.kill()


@pytest.mark.parametrize(("fate", "writes"), [("lost", 1), ("dropped", 2), ("hang", 2)])
async def test_a_killed_gateway_is_followed_by_a_check(fate, writes):
    """Another process checks the outcome of the step before it sends anything."""
    papers = Papers()
    counter = Counter(["ok", "ok", fate], papers=papers)
    paying = asyncio.create_task(counter.pay())
    await asyncio.sleep(0.001)
    papers.left = 0  # it dies before it can write down how the order ended
    await asyncio.sleep(0.5)
    await counter.life.kill()
    await asyncio.gather(paying, return_exceptions=True)
    papers.left = None
    second = Life(counter.till, papers, kinds=[Paying])
    await asyncio.sleep(120)

    assert [counter.count(one) for one in ("charge", "place", "refund")] == [1, 1, 0]
    assert len([one for one in counter.till.log if one.startswith("place")]) == writes
    assert papers.is_settled
    await second.kill()


STORIES = st.lists(
    st.sampled_from(
        [
            *["ok"] * 4,
            *("refused", "lost", "dropped", "broken", "failed", "hang", "late", "slow", "unsent"),
        ]
    ),
    max_size=10,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(
    STORIES,
    st.lists(st.sampled_from(["ok", "ok", "broken", "hang", "unsent"]), max_size=10),
    st.lists(st.integers(0, 9), max_size=3),
    st.floats(0.05, 3.0),
)
async def test_without_keys_no_money_is_lost(story, reads, crashes, within):
    """With any failures and crashes: an order, or all of it compensated; no effect twice."""
    till, papers = Till(list(story), list(reads)), Papers()
    for records in [*crashes, None]:
        papers.left = records
        counter = Counter(till=till, papers=papers)
        with suppress(SagaFailed, SagaUnsettled, StoreUnavailable):
            await counter.pay(within)
        await asyncio.sleep(within)
        if records is not None:
            papers.left = 0
            await counter.life.kill()
    till.story.clear()
    till.reads.clear()
    await asyncio.sleep(300)

    assert papers.is_settled
    assert len(till.effects) == len(set(till.effects))
    assert counter.count("charge") - counter.count("refund") == counter.count("place")
    assert counter.count("hold") - counter.count("release") == counter.count("place")
    assert counter.count("place") <= 1
    await counter.life.kill()
