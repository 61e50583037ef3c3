"""What browsers get, over GraphQL."""

import strawberry

from bff_core import ANYONE, Gateway, access, gateway
from bff_core.graphql import GraphQL, Info, QueryLimits
from shop.screens import ProductPage
from shop.services import Catalog, Reviews


@strawberry.type
class WebProduct:
    """A product in a browser."""

    title: str


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    @access(ANYONE)
    async def product(self, info: Info, product_id: str) -> WebProduct:
        """Return a product."""
        page = info.context.compose(ProductPage, product_id=product_id)
        return WebProduct(title=(await page.product()).title)


def web() -> Gateway:
    """Return the gateway for browsers."""
    face = GraphQL(strawberry.Schema(Query), limits=QueryLimits(depth=9), public=["product"])
    return gateway("web", services=[Catalog, Reviews], faces=[face])
