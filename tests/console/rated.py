"""A gateway with a service at two addresses, for a console over real processes."""

from dataclasses import dataclass

from bff_core import ANYONE, Composition, EdgeOptions, Policy, Upstream, Views, gateway, optional


class Reviews(Upstream):
    """How a product is rated."""

    policy = Policy(retry=None)

    async def stars(self) -> int:
        return await self.get("/stars", int)


class Product(Composition):
    """A product whose rating may be absent."""

    reviews: Reviews

    @optional(timeout=0.6)
    async def stars(self) -> int | None:
        return await self.reviews.stars()


@dataclass(frozen=True)
class Rated:
    """What clients get."""

    stars: int | None


views = Views(access=ANYONE)


@views.get("/product")
async def get_product(product: Product) -> Rated:
    return Rated(await product.stars())


options = EdgeOptions(idempotency=None, allowed_hosts=["127.0.0.1"])
app = gateway("rated", faces=[views], options=options)
