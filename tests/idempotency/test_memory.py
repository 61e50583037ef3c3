"""Answers in memory: each key once at a time, bounded in number, bytes and age."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.events import AnswerForgotten, Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim
from bff_core.idempotency.memory import MemoryIdempotencyStore
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer

PRINT, OTHER = b"p" * 16, b"q" * 16
DONE = StoredAnswer(201, ((b"location", b"/orders/1"),), b"{}")


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Kit:
    """A store, its clock, and its events."""

    def __init__(self, **options) -> None:
        self.clock = Clock()
        self.heard: list[object] = []
        events = Events(self.heard.append)
        self.store = MemoryIdempotencyStore(IdempotencyOptions(**options), self.clock, events)

    async def claim(self, key: str = "a") -> Claim:
        """Claim a key that no one holds."""
        claim = await self.store.claim(key, PRINT)
        assert isinstance(claim, Claim)
        return claim


async def test_a_key_is_claimed_by_one():
    """A second request learns that the first runs, or that the key is bound to another request."""
    kit = Kit()
    await kit.claim()

    assert await kit.store.claim("a", PRINT) is RUNNING
    assert await kit.store.claim("a", OTHER) is REUSED


async def test_an_answer_is_found_by_its_key_and_fingerprint():
    """A different request with the same key does not get the answer."""
    kit = Kit()
    await kit.store.save(await kit.claim(), DONE)

    assert await kit.store.claim("a", PRINT) is DONE
    assert await kit.store.claim("a", OTHER) is REUSED


async def test_a_released_key_can_be_claimed_for_the_same_request():
    """The key stays bound to its request for as long as an answer would be stored."""
    kit = Kit(lifetime=60)
    kit.store.release(await kit.claim())

    assert await kit.store.claim("a", OTHER) is REUSED
    kit.clock.now = 60
    assert isinstance(await kit.store.claim("a", OTHER), Claim)


async def test_a_forgotten_key_can_be_claimed_for_any_request():
    """A request without an effect does not bind its key."""
    kit = Kit()
    kit.store.release(await kit.claim(), forget=True)

    assert isinstance(await kit.store.claim("a", OTHER), Claim)


async def test_a_claim_is_released_once():
    """A late release of an old claim does not affect the current one."""
    kit = Kit()
    late = await kit.claim()
    kit.store.release(late)
    await kit.claim()

    kit.store.release(late)
    await kit.store.save(late, DONE)

    assert await kit.store.claim("a", PRINT) is RUNNING


async def test_answers_expire_after_their_lifetime():
    """The lifetime begins when the answer is stored."""
    kit = Kit(lifetime=100)
    claim = await kit.claim()
    kit.clock.now = 50
    await kit.store.save(claim, DONE)

    kit.clock.now = 149
    assert await kit.store.claim("a", PRINT) is DONE
    kit.clock.now = 150
    assert isinstance(await kit.store.claim("a", PRINT), Claim)


async def test_the_oldest_answers_are_evicted():
    """An event reports that answers were evicted before their lifetime ended."""
    kit = Kit(max_answers=2)
    for key in "abc":
        await kit.store.save(await kit.claim(key), DONE)

    found = [await kit.store.claim(key, PRINT) for key in "bc"]

    assert found == [DONE, DONE]
    assert isinstance(await kit.store.claim("a", PRINT), Claim)
    assert kit.heard == [AnswerForgotten("evicted", 1)]


async def test_evictions_are_reported_together():
    """A flood of keys causes one event a minute, not one per key."""
    kit = Kit(max_answers=2)
    for number in range(100):
        kit.clock.now += 1
        await kit.store.save(await kit.claim(str(number)), DONE)

    assert kit.heard == [AnswerForgotten("evicted", 1), AnswerForgotten("evicted", 60)]


async def test_the_bytes_of_all_answers_are_bounded():
    """A store of large answers holds fewer of them."""
    kit = Kit(max_bytes=10_000)
    large = StoredAnswer(200, (), b"x" * 4_000)
    for key in "abc":
        await kit.store.save(await kit.claim(key), large)

    assert kit.store.size <= 10_000
    assert await kit.store.claim("c", PRINT) is large
    assert isinstance(await kit.store.claim("a", PRINT), Claim)


async def test_claims_are_never_evicted():
    """A claim stays, however many answers are stored meanwhile."""
    kit = Kit(max_answers=1)
    await kit.claim("a")
    for key in "bcd":
        await kit.store.save(await kit.claim(key), DONE)

    assert await kit.store.claim("a", PRINT) is RUNNING


@pytest.mark.virtual_time
@pytest.mark.parametrize("ending", ["keep", "free", "forget"])
async def test_a_waiting_request_is_woken_by_any_release(ending):
    """It wakes at once, not when its timeout ends."""
    kit, loop = Kit(), asyncio.get_running_loop()
    claim, began = await kit.claim(), loop.time()

    async def end() -> None:
        await asyncio.sleep(3)
        if ending == "keep":
            await kit.store.save(claim, DONE)
        else:
            kit.store.release(claim, forget=ending == "forget")

    await asyncio.gather(end(), *(kit.store.wait_for_change("a", 60) for _ in range(3)))

    assert loop.time() - began == pytest.approx(3)


@pytest.mark.virtual_time
async def test_a_wait_ends_with_its_timeout():
    """The request that holds the claim is not affected."""
    kit, loop = Kit(), asyncio.get_running_loop()
    claim, began = await kit.claim(), loop.time()

    await kit.store.wait_for_change("a", 2)
    took = loop.time() - began
    await kit.store.save(claim, DONE)

    assert took == pytest.approx(2)
    assert await kit.store.claim("a", PRINT) is DONE


async def test_a_wait_for_a_key_without_a_claim_ends_at_once():
    """The claim may have been released just before."""
    async with asyncio.timeout(1):
        await Kit().store.wait_for_change("a", 60)


@pytest.mark.slow
async def test_a_million_keys_take_bounded_memory():
    """The oldest answers are evicted; the process does not grow."""
    kit = Kit(max_answers=5_000)
    store = kit.store

    async def fill(first: int, last: int) -> int:
        for number in range(first, last):
            await store.save(await store.claim(f"{number:036}", PRINT), DONE)
        return resident()

    before = await fill(0, 50_000)
    after = await fill(50_000, 1_000_000)

    assert after - before < 8 * 1024 * 1024
    assert repr(store) == "memory     5000 answers, 0 running"


def resident() -> int:
    """Return how many bytes this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


ACTIONS = st.sampled_from(["claim", "keep", "free", "forget", "later"])
STEPS = st.lists(
    st.tuples(ACTIONS, st.sampled_from("abc")),
    max_size=60,
)


@given(STEPS)
@settings(deadline=None, max_examples=60)
async def test_no_order_of_steps_gives_a_key_two_claims(steps):
    """In any order of steps a key has one claim, and only stored answers are returned."""
    kit = Kit(lifetime=10)
    held: dict[str, Claim] = {}
    stored: dict[str, float] = {}
    for step, key in steps:
        if step == "later":
            kit.clock.now += 4
        elif step == "claim":
            found = await kit.store.claim(key, PRINT)
            is_stored = kit.clock.now < stored.get(key, 0.0)
            assert (found is RUNNING) is (key in held)
            assert (found is DONE) is (key not in held and is_stored)
            if isinstance(found, Claim):
                held[key] = found
        elif key in held:
            stored[key] = 0.0
            claim = held.pop(key)
            if step == "keep":
                await kit.store.save(claim, DONE)
                stored[key] = kit.clock.now + 10
            else:
                kit.store.release(claim, forget=step == "forget")
