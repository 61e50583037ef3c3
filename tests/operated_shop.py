"""A gateway whose services operators act on: one at two addresses, one without a breaker."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    Policy,
    Settings,
    Upstream,
    Views,
    gateway,
    optional,
)
from bff_core.events import Events
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply

TOKEN = "a-token-of-the-test-for-operators"
OPERATOR = {"authorization": f"Bearer {TOKEN}"}
ONE, TWO, THREE = "10.0.9.3", "10.0.9.4", "10.0.9.5"


class Ratings(Upstream):
    """How a product is rated."""

    policy = Policy(coalesce=False)

    async def stars(self) -> int:
        return await self.get("/stars", int)


class Prices(Upstream):
    """What a product costs; without a circuit."""

    policy = Policy(breaker=None, cache=Cache(ttl=60, tags=("price",)))

    async def price(self) -> int:
        return await self.get("/price", int)


class Product(Composition):
    """A product whose rating may be absent."""

    ratings: Ratings
    prices: Prices

    @optional(timeout=0.6)
    async def stars(self) -> int | None:
        return await self.ratings.stars()

    @optional
    async def price(self) -> int | None:
        return await self.prices.price()


@dataclass(frozen=True)
class Rated:
    """What clients get."""

    stars: int | None
    price: int | None


views = Views(access=ANYONE)


@views.get("/product")
async def get_product(product: Product) -> Rated:
    return Rated(await product.stars(), await product.price())


class Shop:
    """The gateway, its services by address, and what it reported."""

    def __init__(self, **settings) -> None:
        self.heard = []
        self.services = {host: Scripted(reply(200, 4)) for host in (ONE, TWO, THREE)}
        self.app = gateway(
            "shop",
            faces=[views],
            settings=Settings(
                env="development",
                upstreams={
                    "ratings": (f"http://{ONE}", f"http://{TWO}"),
                    "prices": (f"http://{THREE}",),
                },
                operator_token=SecretStr(TOKEN),
                **settings,
            ),
            events=Events(self.heard.append),
            transport=lambda *_: ScriptedTransport(self.services),
        )

    def events(self, kind):
        """Return what was reported of a kind."""
        return [one for one in self.heard if isinstance(one, kind)]

    def calls(self):
        """Return how many calls each address of ratings got."""
        return {name: len(self.services[name].calls) for name in (ONE, TWO)}


@asynccontextmanager
async def opened(**settings):
    """Yield a running shop, and a client."""
    shop = Shop(**settings)
    async with running(shop.app) as client:
        yield shop, client
