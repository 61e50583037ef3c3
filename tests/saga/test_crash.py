"""A gateway that is killed during a purchase: an order, or the money back; no effect twice."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.redis.client import RedisClient
from bff_core.saga.journal.redis import RedisJournal
from bff_core.saga.journal.sqlite import SQLiteJournal
from tests.chaos.purchases import mismatches
from tests.processes.client import Answer, Cut, ask
from tests.processes.gateway import Gateway, addresses
from tests.processes.services import Service
from tests.processes.site import NOTHING_LISTENS, Site
from tests.processes.waiting import until
from tests.redis_server import RedisServer

STEPS = 4
BOUGHT = 2 + 2 * STEPS
"""Writes of the journal for a purchase: its begin, each step before and after, its end."""

UNDONE = BOUGHT + 4
"""The same where the last step is refused, and two of the others are undone."""

ELSEWHERE = ("users", "catalog", "pricing", "reviews", "recommendations")
PATIENCE = 30.0

POLICIES = "".join(
    f"[{name}]\ntimeout = {PATIENCE}\n" for name in ("cart", "inventory", "payments", "orders")
)
"""Calls that a busy machine does not end: a purchase is to come to where the gateway dies."""


@dataclass(frozen=True)
class Buyer:
    """A customer who buys two of a product that no other customer buys."""

    customer: int
    sku: str
    in_stock: int
    method: str

    async def buy(self, port: int) -> Answer:
        """Send the request; the same one each time."""
        headers = {
            "authorization": f"Bearer demo-{self.customer}",
            "idempotency-key": f"one purchase of customer-{self.customer}".replace(" ", "-"),
            "content-type": "application/json",
        }
        body = json.dumps({"payment_method_id": self.method}).encode()
        return await ask(port, "/v1/checkout", method="POST", headers=headers, body=body)


@dataclass
class Shop:
    """The services of a checkout, and the gateways that die over them."""

    site: Site
    journal_url: str
    cart: Service = field(init=False)
    inventory: Service = field(init=False)
    payments: Service = field(init=False)
    orders: Service = field(init=False)
    buyers: list[Buyer] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("cart", "inventory", "payments", "orders"):
            setattr(self, name, self.site.service(name))
        self._policies = self.site.folder / "policies.toml"
        self._policies.write_text(POLICIES)
        self._skus = None
        self._customers = count(100)

    @property
    def services(self) -> tuple[Service, ...]:
        """All of them."""
        return (self.cart, self.inventory, self.payments, self.orders)

    def gateway(self, app: str, **environ: str) -> Gateway:
        """Return a mobile gateway that is not started yet."""
        settings = {
            **{f"BFF_UPSTREAM_{name.upper()}": NOTHING_LISTENS for name in ELSEWHERE},
            **addresses(self.services),
            "BFF_JOURNAL_URL": self.journal_url,
            "BFF_JOURNAL_LEASE": "0.1",
            "BFF_MAX_LAG": "0",
            "BFF_TIMEOUT": str(PATIENCE),
            "BFF_POLICIES": str(self._policies),
            **environ,
        }
        return self.site.gateway(app, settings)

    def doomed(self, when: str, **environ: str) -> Gateway:
        """Return a gateway that dies at a write of its journal."""
        return self.gateway("tests.saga.doomed:app", DOOM=when, **environ)

    def buyer(self) -> Buyer:
        """Return another customer, with a cart."""
        customer, method = self._solvent()
        sku, in_stock = next(self._goods())
        self.cart.ask("DELETE", f"/carts/{customer}")
        self.cart.ask("PUT", f"/carts/{customer}/items/{sku}", {"quantity": 2})
        buyer = Buyer(customer, sku, in_stock, method)
        self.buyers.append(buyer)
        return buyer

    def _solvent(self) -> tuple[int, str]:
        """Return a customer whom no bank declines, and a way to pay."""
        while True:
            customer = next(self._customers)
            query = f"/payment-methods?customer_id={customer}"
            for method in self.payments.ask("GET", query)["items"]:
                if method["kind"] != "card":
                    return customer, method["id"]

    def _goods(self) -> Iterable[tuple[str, int]]:
        if self._skus is None:
            ids = ",".join(map(str, range(1001, 1101)))
            stock = self.inventory.ask("GET", f"/stock?ids={ids}")["items"]
            known = [(one["sku"], one["available"]) for item in stock for one in item["skus"]]
            self._skus = iter([(sku, left) for sku, left in known if left > 4])
        return self._skus

    async def kill_at(self, when: str) -> None:
        """Let a gateway die in a purchase, at a write of its journal."""
        buyer, gateway = self.buyer(), self.doomed(when)
        await asyncio.to_thread(lambda: gateway.start().wait_until_ready())
        try:
            answer = await buyer.buy(gateway.port)
        except Cut:
            await asyncio.to_thread(gateway.wait_for_end)
            return
        pytest.fail(f"it was to die {when}: {answer}\n{gateway.output[-2000:]}")

    async def kill_all(self, moments: Iterable[str]) -> None:
        """Let one gateway die at each of these moments, a few at a time."""
        room = asyncio.Semaphore(4)

        async def one(when: str) -> None:
            async with room:
                await self.kill_at(when)

        await asyncio.gather(*map(one, moments))

    async def kill_unanswered(self, service: Service, route: str, effect: str) -> None:
        """Kill a gateway that has caused an effect and waits for the answer."""
        buyer, gateway = self.buyer(), self.doomed("never 0")
        await asyncio.to_thread(lambda: gateway.start().wait_until_ready())
        with service.fault("hang_mid_body", fraction=0.0, route=route):
            buying = asyncio.create_task(buyer.buy(gateway.port))
            await until(lambda: effect in self.effects(buyer), PATIENCE)
            gateway.kill()
            with pytest.raises(Cut):
                await buying

    def effects(self, buyer: Buyer) -> set[str]:
        """Return what a purchase has caused by now."""
        charges = self.charges(buyer)
        values = {
            "held": self.left(buyer) == buyer.in_stock - 2,
            "charged": bool(charges),
            "refunded": any(charge["refunded"]["amount"] for charge in charges),
            "ordered": bool(self.placed(buyer)),
        }
        return {name for name, is_so in values.items() if is_so}

    def charges(self, buyer: Buyer) -> list[dict[str, Any]]:
        """Return the charges of a buyer."""
        items = self.payments.ask("GET", f"/payments?customer_id={buyer.customer}&limit=100")
        return [one for one in items["items"] if one["id"].startswith("pay-c")]

    def placed(self, buyer: Buyer) -> list[dict[str, Any]]:
        """Return the orders that a buyer placed here."""
        items = self.orders.ask("GET", f"/orders?customer_id={buyer.customer}&limit=100")["items"]
        return [one for one in items if str(one["payment_id"]).startswith("pay-c")]

    def left(self, buyer: Buyer) -> int:
        """Return how much of a buyer's goods can be bought."""
        (item,) = self.inventory.ask("GET", f"/stock?skus={buyer.sku}")["items"]
        return next(one["available"] for one in item["skus"] if one["sku"] == buyer.sku)

    def wrongs(self, buyer: Buyer) -> list[str]:
        """Return the effects that are wrong for a customer."""
        placed, left = len(self.placed(buyer)), self.left(buyer)
        wrong = mismatches(self.payments, self.orders, buyer.customer)
        if placed > 1:
            wrong.append(f"{placed} orders")
        if left != buyer.in_stock - 2 * placed:
            wrong.append(f"{buyer.in_stock - left} taken for {placed} orders")
        return wrong


@pytest.fixture
def shop(site: Site, journal_url: str) -> Iterator[Shop]:
    """Run the services."""
    shop = Shop(site, journal_url)
    with site.running(*shop.services):
        yield shop


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer | Path]:
    """Return the URL of the journal: a file, or a Redis that persists each write."""
    if request.param == "sqlite":
        yield tmp_path / "journal.sqlite3"
        return
    server = RedisServer(tmp_path, durable=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def journal_url(journal: RedisServer | Path) -> str:
    """Return the settings of a gateway that name the journal."""
    return journal.url if isinstance(journal, RedisServer) else f"sqlite:///{journal}"


async def test_a_gateway_that_is_killed_loses_no_money(shop, journal):
    """Killed around each record, with and without answers, also while it undoes, and again."""
    ways = moments(1, BOUGHT)
    await shop.kill_all(ways)
    with shop.orders.fault("error", status=409, route="POST /orders"):
        back = moments(BOUGHT - 1, UNDONE)
        await shop.kill_all(back)
        await shop.kill_unanswered(shop.payments, "POST /payments/{payment_id}/refunds", "refunded")
    await shop.kill_unanswered(shop.inventory, "POST /reservations", "held")
    await shop.kill_unanswered(shop.payments, "POST /charges", "charged")
    await shop.kill_unanswered(shop.orders, "POST /orders", "ordered")
    if isinstance(journal, RedisServer):
        journal.kill()
        journal.start()
    second = shop.doomed("after 9", DOOM_RESUMES="1")
    await asyncio.to_thread(lambda: second.start().wait_for_end())
    with shop.site.running(survivor := shop.gateway("bffs.mobile.app:app")):
        await settled(journal)
        wrong = {buyer: shop.wrongs(buyer) for buyer in shop.buyers}
        answers = [await buyer.buy(survivor.port) for buyer in shop.buyers]
        later = {buyer: shop.wrongs(buyer) for buyer in shop.buyers}

    assert {buyer: effects_left for buyer, effects_left in wrong.items() if effects_left} == {}
    assert {buyer: effects_left for buyer, effects_left in later.items() if effects_left} == {}
    # Purchases whose refusal was journaled are refused; all others succeed.
    assert Counter(answer.status for answer in answers) == {201: len(ways) + 4, 409: len(back)}
    assert [len(shop.placed(buyer)) for buyer in shop.buyers] == [
        int(answer.status == 201) for answer in answers
    ]


def moments(first: int, last: int) -> list[str]:
    """Return when to die: after each record, and before those that follow on a service's answer."""
    after = [f"after {number}" for number in range(first, last + 1)]
    return after + [f"before {number}" for number in range(first | 1, last, 2) if number > 1]


async def settled(journal: RedisServer | Path) -> None:
    """Wait until no saga is under way."""
    link = None
    if isinstance(journal, RedisServer):
        link = RedisClient(journal.url, clock=monotonic, chance=chance, events=Events())
        opened = RedisJournal(link)
    else:
        opened = SQLiteJournal(str(journal), time.time)
    ends = time.monotonic() + PATIENCE
    while left := await opened.open_records(100):
        assert time.monotonic() < ends, left
        await asyncio.sleep(0.05)
    await opened.aclose()
    if link is not None:
        await link.aclose()
