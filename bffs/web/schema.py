"""What browsers may ask for: the roots of the schema."""

from typing import Annotated

import strawberry

from bff_core import ANYONE, Require, access
from bff_core.graphql import Info, ListSize, ShapeOf, each, screen
from bffs.compositions.cart import CartPage
from bffs.compositions.categories import CategoryList
from bffs.compositions.checkout import Checkout
from bffs.compositions.home import Home
from bffs.compositions.orders import OrderList, OrderPage
from bffs.compositions.product import ProductPage
from bffs.compositions.products import ProductList
from bffs.scopes import CART_READ, CART_WRITE, ORDERS_READ, ORDERS_WRITE
from bffs.services.catalog import Summary
from bffs.services.values import Page
from bffs.web.cart import WebCart
from bffs.web.categories import WebCategory
from bffs.web.home import WebHome, WebViewer
from bffs.web.orders import WebOrder, WebOrders
from bffs.web.product import WebProduct
from bffs.web.shelf import WebCard

ID = Annotated[strawberry.ID, strawberry.argument(name="id")]
PAGING = {"limit": "first", "cursor": "after"}


class WebProducts(ShapeOf[Page[Summary]], name="ProductList"):
    """A page of products; `nextCursor` is null on the last."""

    items: list[WebCard]
    total: int
    next_cursor: str | None


@strawberry.type
class Query:
    """What can be read. A root that fails is null, and leaves the others alone."""

    home: WebHome | None = screen(
        Home, WebHome.of, access=Require(), objective="complete 99.5 %, ≤ 300 ms"
    )
    product: WebProduct | None = screen(
        ProductPage,
        WebProduct.of,
        access=ANYONE,
        arguments={"product_id": ID},
        objective="complete 99.5 %, ≤ 300 ms",
    )
    products: WebProducts | None = screen(
        ProductList.page,
        WebProducts.of,
        access=ANYONE,
        arguments={"q": "search", "category": "category", **PAGING},
        objective="complete 99.5 %, ≤ 300 ms",
    )
    categories: list[WebCategory] | None = screen(
        CategoryList.categories,
        each(WebCategory.of),
        access=ANYONE,
        directives=[ListSize(assumed_size=7)],
    )
    orders: WebOrders | None = screen(
        OrderList.page, WebOrders.of, access=Require(ORDERS_READ), arguments=PAGING
    )
    order: WebOrder | None = screen(
        OrderPage.order, WebOrder.of, access=Require(ORDERS_READ), arguments={"order_id": ID}
    )
    cart: WebCart | None = screen(CartPage.cart, WebCart.of, access=Require(CART_READ))

    @strawberry.field
    @access(ANYONE)
    async def viewer(self, info: Info) -> WebViewer | None:
        """Return who is signed in; None for an anonymous viewer."""
        if info.context.viewer.is_anonymous:
            return None
        return WebViewer.of(await info.context.compose(Home).profile())


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    @access(Require(CART_WRITE))
    async def set_cart_item(self, info: Info, sku: str, quantity: int) -> WebCart | None:
        """Set how many of a variant the cart holds, 1 to 99, and return the cart."""
        cart = info.context.compose_anew(CartPage)
        return WebCart.of(await cart.set_quantity(sku, quantity))

    @strawberry.mutation
    @access(Require(ORDERS_WRITE))
    async def checkout(self, info: Info, payment_method_id: strawberry.ID) -> WebOrder | None:
        """Buy what lies in the viewer's cart; repeat it with the same Idempotency-Key."""
        bought = info.context.compose_anew(Checkout, payment_method_id=str(payment_method_id))
        await bought.run()
        await bought.empty_cart()
        return WebOrder.of(await bought.place())

    @strawberry.mutation
    @access(Require(CART_WRITE))
    async def remove_cart_item(self, info: Info, sku: str) -> WebCart | None:
        """Take a variant out of the cart, and return the cart."""
        return WebCart.of(await info.context.compose_anew(CartPage).remove(sku))


schema = strawberry.Schema(Query, Mutation)
