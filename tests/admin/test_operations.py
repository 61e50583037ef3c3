"""Admin endpoints of services: circuits are opened and closed, endpoints ejected and restored."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from bff_core import ANYONE, Composition, Policy, Settings, Upstream, Views, gateway, optional
from bff_core.events import BreakerChanged, CallRejected, Events, OperatorActed
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply

TOKEN = "a-token-of-the-test-for-operators"
OPERATOR = {"authorization": f"Bearer {TOKEN}"}
ONE, TWO = "10.0.9.3", "10.0.9.4"


class Ratings(Upstream):
    """How a product is rated."""

    policy = Policy(coalesce=False)

    async def stars(self) -> int:
        return await self.get("/stars", int)


class Prices(Upstream):
    """What a product costs; without a circuit."""

    policy = Policy(breaker=None)

    async def price(self) -> int:
        return await self.get("/price", int)


class Product(Composition):
    """A product whose rating may be absent."""

    ratings: Ratings
    prices: Prices

    @optional
    async def stars(self) -> int | None:
        return await self.ratings.stars()


@dataclass(frozen=True)
class Rated:
    """What clients get."""

    stars: int | None


views = Views(access=ANYONE)


@views.get("/product")
async def get_product(product: Product) -> Rated:
    return Rated(await product.stars())


class Shop:
    """The gateway, the services' two addresses and one address, and what was reported."""

    def __init__(self) -> None:
        self.heard = []
        self.services = {ONE: Scripted(reply(200, 4)), TWO: Scripted(reply(200, 4))}
        self.app = gateway(
            "shop",
            faces=[views],
            settings=Settings(
                env="development",
                upstreams={
                    "ratings": (f"http://{ONE}", f"http://{TWO}"),
                    "prices": (f"http://{ONE}",),
                },
                operator_token=SecretStr(TOKEN),
            ),
            events=Events(self.heard.append),
            transport=lambda *_: ScriptedTransport(self.services),
        )

    def events(self, kind):
        return [one for one in self.heard if isinstance(one, kind)]

    def calls(self):
        return {name: len(one.calls) for name, one in self.services.items()}


@asynccontextmanager
async def opened():
    """Yield a running shop, and a client."""
    shop = Shop()
    async with running(shop.app) as client:
        yield shop, client


async def post(client, path, body):
    return await client.post(f"/operator/upstreams/{path}", json=body, headers=OPERATOR)


async def test_parts_get_their_fallback_while_an_operator_has_opened_a_circuit():
    """No call is sent, the reason is in events, and the screen is degraded as if it had failed."""
    async with opened() as (shop, client):
        done = await post(client, "open", {"upstream": "ratings", "seconds": 30})
        shown = await client.get("/product")

    action = "Opened the circuit for 30 s."
    assert done.json() == {
        "processes": 1,
        "changed": 1,
        "subject": "ratings",
        "action": action,
        "failed": [],
    }
    assert (shown.json()["stars"], shop.calls()) == (None, {ONE: 0, TWO: 0})
    assert "reason=circuit_open" in shown.headers["part-status"]
    assert [one.reason for one in shop.events(CallRejected)] == ["circuit_forced"]


async def test_an_action_is_in_the_audit_log_once():
    """The event has the actor, the service and what was done."""
    async with opened() as (shop, client):
        await post(client, "eject", {"upstream": "ratings", "endpoint": ONE, "seconds": 30})

    assert shop.events(OperatorActed) == [
        OperatorActed("operator", "", "ratings", f"Ejected {ONE} for 30 s.")
    ]


async def test_a_circuit_that_an_operator_closes_sends_calls():
    """It closes at once; to close it again changes nothing."""
    async with opened() as (shop, client):
        await post(client, "open", {"upstream": "ratings"})
        first = await post(client, "close", {"upstream": "ratings"})
        again = await post(client, "close", {"upstream": "ratings"})
        shown = await client.get("/product")

    assert (first.json()["changed"], again.json()["changed"]) == (1, 0)
    assert shown.json()["stars"] == 4
    assert [one.state for one in shop.events(BreakerChanged)] == ["open", "closed"]


async def test_an_ejected_endpoint_gets_no_calls_until_it_is_restored():
    """All calls go to the other one; after it is restored, both get some."""
    async with opened() as (shop, client):
        await post(client, "eject", {"upstream": "ratings", "endpoint": f"{ONE}:80"})
        for _ in range(20):
            await client.get("/product")
        ejected = shop.calls()
        await post(client, "restore", {"upstream": "ratings", "endpoint": ONE})
        await asyncio.gather(*(client.get("/product") for _ in range(40)))

    assert ejected == {ONE: 0, TWO: 20}
    assert shop.calls()[ONE] > 0


async def test_the_state_of_services_is_listed():
    """Scripts find the names of endpoints, and that an operator opened a circuit."""
    async with opened() as (_, client):
        await post(client, "open", {"upstream": "ratings", "seconds": 60})
        await post(client, "eject", {"upstream": "ratings", "endpoint": TWO})
        listed = (await client.get("/operator/upstreams", headers=OPERATOR)).json()

    ratings, prices = sorted(listed["upstreams"], key=lambda one: one["upstream"] != "ratings")
    assert (ratings["breaker"]["state"], ratings["breaker"]["is_forced"]) == ("open", True)
    assert 59 < ratings["breaker"]["retry_after"] <= 60
    assert [one["is_forced"] for one in ratings["endpoints"]] == [False, True]
    assert prices["breaker"] is None


@pytest.mark.parametrize(
    ("path", "body", "status", "complaint"),
    [
        ("open", {"upstream": "rating"}, 404, "No service is called 'rating': there are prices, r"),
        ("open", {"upstream": "prices"}, 422, "prices has no circuit breaker"),
        ("open", {"upstream": "ratings", "seconds": 0}, 422, "`float` > 0.0"),
        ("open", {"upstream": "ratings", "seconds": 3601}, 422, "`float` <= 3600.0"),
        ("open", {"upstream": "ratings", "second": 5}, 422, "unknown field `second`"),
        ("close", {}, 422, "missing required field `upstream`"),
        ("eject", {"upstream": "ratings"}, 422, "missing required field `endpoint`"),
        ("eject", {"upstream": "ratings", "endpoint": "10.0.9.5"}, 404, f"there are {ONE}:80, "),
        ("eject", {"upstream": "prices", "endpoint": ONE}, 422, "has too few other endpoints"),
        ("restore", {"upstream": "ratings", "endpoint": "x"}, 404, "has no single endpoint 'x'"),
    ],
)
async def test_a_wrong_action_is_explained(path, body, status, complaint):
    """The problem names what is wrong and what there is; nothing is changed or reported."""
    async with opened() as (shop, client):
        refused = await post(client, path, body)

    assert refused.status_code == status
    assert complaint in refused.json()["detail"]
    assert shop.events(OperatorActed) == []


async def test_only_operators_act():
    """Without the token the circuit stays closed."""
    async with opened() as (shop, client):
        refused = await client.post("/operator/upstreams/open", json={"upstream": "ratings"})

    assert refused.status_code == 401
    assert shop.events(BreakerChanged) == []
