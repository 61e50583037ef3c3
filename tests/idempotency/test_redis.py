"""Answers in Redis: one claim among many processes, a lease that ends, and no silent loss."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bff_core import ConfigurationError, Settings, Views, gateway
from bff_core.background import Background
from bff_core.clock import monotonic
from bff_core.edge.options import EdgeOptions
from bff_core.errors import StoreUnavailable
from bff_core.events import AnswerForgotten, Events
from bff_core.idempotency.interface import REUSED, RUNNING, Claim, ClaimResult
from bff_core.idempotency.redis import PREFIX, RedisIdempotencyStore
from bff_core.policy.edge.idempotency import IdempotencyOptions, StoredAnswer
from bff_core.redis.client import RedisClient
from bff_core.testing import running
from tests.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis-server")

PRINT, OTHER = b"p" * 16, b"\x00q\xff" + b"q" * 13
DONE = StoredAnswer(
    201, ((b"location", b"/orders/1"), (b"x-odd", b"\xff\x00")), b'{"a": "\xc3\xa9"}'
)
KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@dataclass
class Process:
    """What one gateway process has of the store."""

    store: RedisIdempotencyStore
    link: RedisClient
    background: Background
    heard: list[object] = field(default_factory=list)

    async def claim(self, key: str = "a", print_: bytes = PRINT) -> Claim:
        """Claim a key that no one holds."""
        claim = await self.store.claim(key, print_)
        assert isinstance(claim, Claim)
        return claim

    async def find(self, key: str, wanted: object) -> ClaimResult:
        """Look until the key is found as wanted: ends are written to Redis in the background."""
        async with asyncio.timeout(5):
            while (found := await self.store.claim(key, PRINT)) != wanted:
                await self.store.wait_for_change(key, 1)
        return found

    async def die(self) -> None:
        """End as by SIGKILL: nothing more is said to Redis."""
        await self.link.aclose()
        await self.background.aclose()


@pytest.fixture
def process(redis_server):
    """Return what opens the store of one process."""

    @asynccontextmanager
    async def open_process(**options) -> AsyncIterator[Process]:
        heard: list[object] = []
        events, chance = Events(heard.append), random.Random().random
        link = RedisClient(redis_server.url, clock=monotonic, chance=chance, events=events)
        background = Background(asyncio.get_running_loop(), events)
        store = RedisIdempotencyStore(
            link,
            IdempotencyOptions(**options),
            spawn=background.spawn,
            chance=chance,
            events=events,
        )
        try:
            yield Process(store, link, background, heard)
        finally:
            await background.aclose()
            await link.aclose()

    return open_process


async def test_a_key_is_claimed_by_one_process(process):
    """Another process learns that the request runs, or that the key belongs to another request."""
    async with process() as one, process() as other:
        await one.claim()

        assert await other.store.claim("a", PRINT) is RUNNING
        assert await other.store.claim("a", OTHER) is REUSED


async def test_an_answer_is_found_by_every_process(process):
    """Status, headers and body are the same byte for byte."""
    async with process() as one, process() as other:
        await one.store.save(await one.claim(), DONE)

        assert await other.store.claim("a", PRINT) == DONE
        assert await other.store.claim("a", OTHER) is REUSED


@pytest.mark.alone  # forty claims have a quarter of a second of real time
async def test_one_of_many_simultaneous_requests_gets_the_claim(process):
    """Twenty processes that claim a key at once get one claim."""
    async with process() as one, process() as other:
        found = await asyncio.gather(
            *(store.claim("a", PRINT) for store in (one.store, other.store) * 20)
        )

    assert sum(isinstance(each, Claim) for each in found) == 1
    assert sum(each is RUNNING for each in found) == 39


async def test_a_released_key_can_be_claimed_elsewhere(process):
    """Only the same request can claim it, since it may have taken effect."""
    async with process() as one, process() as other:
        one.store.release(await one.claim())
        async with asyncio.timeout(5):
            while not isinstance(found := await other.store.claim("a", PRINT), Claim):
                await other.store.wait_for_change("a", 1)

        assert found.owner != ""
        assert await other.store.claim("a", OTHER) is REUSED


async def test_a_forgotten_key_leaves_nothing_behind(process):
    """A request without an effect leaves no entry in Redis."""
    async with process() as one:
        one.store.release(await one.claim(), forget=True)
        async with asyncio.timeout(5):
            while await one.link.run("EXISTS", PREFIX + "a"):
                await one.store.wait_for_change("a", 1)

        assert isinstance(await one.store.claim("a", OTHER), Claim)


@pytest.mark.slow
async def test_a_gateway_that_is_killed_blocks_a_key_for_its_lease(process):
    """After the lease another process executes the request; the key is still bound to its body."""
    async with process(lease=1) as one, process(lease=1) as other:
        await one.claim()
        await one.die()
        began = asyncio.get_running_loop().time()

        assert await other.store.claim("a", PRINT) is RUNNING
        async with asyncio.timeout(10):
            while not isinstance(await other.store.claim("a", PRINT), Claim):
                await other.store.wait_for_change("a", 1)
        took = asyncio.get_running_loop().time() - began

        assert took >= 0.9
        assert await other.store.claim("a", OTHER) is REUSED


@pytest.mark.slow
async def test_a_long_request_renews_its_lease(process):
    """The lease is renewed while the request runs, and no longer."""
    async with process(lease=1) as one, process(lease=1) as other:
        claim = await one.claim()
        for _ in range(25):
            await asyncio.sleep(0.1)
            assert await other.store.claim("a", PRINT) is RUNNING
        await one.store.save(claim, DONE)

        assert await other.store.claim("a", PRINT) == DONE
        assert repr(one.store).endswith("0 running")


@pytest.mark.slow
async def test_a_request_that_lost_its_lease_stores_nothing(process):
    """The process that took over answers for the key; the loss is reported."""
    async with process(lease=1) as one, process(lease=60) as other:
        late = await one.claim()
        await one.background.aclose()  # as if its renewals had not come through
        async with asyncio.timeout(10):
            while not isinstance(await other.store.claim("a", PRINT), Claim):
                await other.store.wait_for_change("a", 1)

        await one.store.save(late, DONE)

        assert await other.store.claim("a", PRINT) is RUNNING
        assert one.heard == [AnswerForgotten("store")]


async def test_an_answer_expires_after_its_lifetime(process):
    """Redis deletes the entry."""
    async with process(lifetime=60) as one:
        await one.store.save(await one.claim(), DONE)
        left = await one.link.run("PTTL", PREFIX + "a")

    assert isinstance(left, int)
    assert 50_000 < left <= 60_000


async def test_a_cancelled_claim_is_released(process):
    """Redis may have granted the claim of a cancelled request: it is released."""
    async with process() as one:
        for number in range(20):
            task = asyncio.create_task(one.store.claim(f"k{number}", PRINT))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                one.store.release(task.result())
        for number in range(20):
            async with asyncio.timeout(5):
                while not isinstance(await one.store.claim(f"k{number}", PRINT), Claim):
                    await one.store.wait_for_change("", 1)


async def test_an_answer_is_stored_even_if_its_request_is_cancelled(process):
    """The answer is final; the next request gets it."""
    async with process() as one:
        claim = await one.claim()
        task = asyncio.create_task(one.store.save(claim, DONE))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        assert task.cancelled()
        assert await one.find("a", DONE) == DONE


@pytest.mark.slow
async def test_an_unreachable_redis_refuses_in_time(process, redis_server: RedisServer):
    """A claim fails within its timeout; a final answer is reported as not stored."""
    async with process() as one:
        claim = await one.claim()
        redis_server.freeze()
        async with asyncio.timeout(5):
            with pytest.raises(StoreUnavailable):
                await one.store.claim("b", PRINT)
            await one.store.save(claim, DONE)
        redis_server.thaw()

    assert AnswerForgotten("store") in one.heard


async def test_a_foreign_value_is_not_taken_for_an_answer(process):
    """A foreign value under the key makes the store unavailable, and is no crash."""
    async with process() as one:
        await one.link.run("HSET", PREFIX + "a", "print", PRINT, "answer", b"\xc1garbage")

        with pytest.raises(StoreUnavailable):
            await one.store.claim("a", PRINT)


def till(url: str, taken: list[int], **options):
    """Return a gateway that takes money; `taken` lists how often."""
    views = Views()

    @views.post("/payments", status=201)
    async def post_payment() -> dict[str, int]:
        taken.append(1)
        return {"number": len(taken)}

    settings = Settings(env="development", log="off", gc_freeze=False, idempotency_url=url)
    edge_options = EdgeOptions(idempotency=IdempotencyOptions(**options))
    return gateway("till", faces=[views], settings=settings, options=edge_options)


async def test_two_gateways_execute_a_request_once(redis_server):
    """Behind a load balancer either gateway may get the retry."""
    taken: list[int] = []
    async with (
        running(till(redis_server.url, taken)) as one,
        running(till(redis_server.url, taken)) as other,
    ):
        first = await one.post("/payments", headers=KEYED)
        second = await other.post("/payments", headers=KEYED)

    assert (taken, first.json(), second.json()) == ([1], {"number": 1}, {"number": 1})
    assert second.headers["idempotency-replayed"] == "true"


async def test_without_redis_a_keyed_write_is_refused(redis_server):
    """The write is refused with Retry-After and not executed; requests without a key are served."""
    taken: list[int] = []
    async with running(till(redis_server.url, taken)) as client:
        redis_server.kill()
        keyed = await client.post("/payments", headers=KEYED)
        before = list(taken)
        free = await client.post("/payments")

    assert (keyed.status_code, keyed.json()["code"], before) == (503, "store_unavailable", [])
    assert int(keyed.headers["retry-after"]) >= 1
    assert (free.status_code, taken) == (201, [1])


async def test_by_option_a_write_is_served_without_protection(redis_server):
    """The option is for gateways whose services store idempotency keys themselves."""
    taken: list[int] = []
    async with running(till(redis_server.url, taken, proceeds_without_store=True)) as client:
        redis_server.kill()
        answers = [await client.post("/payments", headers=KEYED) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert taken == [1, 1]


async def test_a_wrong_address_stops_the_start():
    """The error names the variable."""
    with pytest.raises(ConfigurationError, match="BFF_IDEMPOTENCY_URL"):
        Settings.load({"BFF_IDEMPOTENCY_URL": "http://127.0.0.1"})
