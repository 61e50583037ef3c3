"""What browsers may ask for: the roots of the schema."""

from typing import Annotated

import strawberry

from bff_core import ANYONE, Require, access
from bff_core.graphql import Info
from bffs.compositions.home import Home
from bffs.compositions.orders import OrderList, OrderPage
from bffs.compositions.product import ProductPage
from bffs.compositions.products import ProductList
from bffs.scopes import ORDERS_READ
from bffs.services.catalog import Summary
from bffs.services.orders import Order
from bffs.services.users import User
from bffs.services.values import Page
from bffs.web.cart import WebCart, get_cart, remove_cart_item, set_cart_item
from bffs.web.checkout import checkout
from bffs.web.home import WebHome, WebViewer
from bffs.web.orders import WebOrder, WebOrders
from bffs.web.product import WebProduct
from bffs.web.shelf import WebCard

Id = Annotated[strawberry.ID, strawberry.argument(name="id")]


@strawberry.type(name="ProductList")
class WebProducts:
    """A page of products; `nextCursor` is null on the last."""

    items: list[WebCard]
    total: int
    next_cursor: str | None


@access(Require())
def get_home(info: Info) -> Home:
    """Return the viewer's home screen; each field of a customer's takes a scope of its own."""
    return info.context.compose(Home)


@access(ANYONE)
def get_product(info: Info, product_id: Id) -> ProductPage:
    """Return the page of one product."""
    return info.context.compose(ProductPage, product_id=product_id)


@access(ANYONE)
async def get_products(
    info: Info, search: str = "", category: str = "", first: int = 20, after: str = ""
) -> Page[Summary]:
    """Return products that match, most popular first; empty filters match all."""
    found = info.context.compose(
        ProductList, q=search, category=category, limit=first, cursor=after
    )
    return await found.page()


@access(Require(ORDERS_READ))
async def get_orders(info: Info, first: int = 10, after: str = "") -> Page[Order]:
    """Return the viewer's orders, newest first."""
    return await info.context.compose(OrderList, limit=first, cursor=after).page()


@access(Require(ORDERS_READ))
async def get_order(info: Info, order_id: Id) -> Order:
    """Return one order of the viewer's."""
    return await info.context.compose(OrderPage, order_id=order_id).order()


@access(ANYONE)
async def get_viewer(info: Info) -> User | None:
    """Return who is signed in; None for an anonymous viewer."""
    if info.context.viewer.is_anonymous:
        return None
    return await info.context.compose(Home).profile()


@strawberry.type
class Query:
    """What can be read. A root that fails is null, and leaves the others alone."""

    home = strawberry.field(resolver=get_home, graphql_type=WebHome | None)
    product = strawberry.field(resolver=get_product, graphql_type=WebProduct | None)
    products = strawberry.field(resolver=get_products, graphql_type=WebProducts | None)
    orders = strawberry.field(resolver=get_orders, graphql_type=WebOrders | None)
    order = strawberry.field(resolver=get_order, graphql_type=WebOrder | None)
    cart = strawberry.field(resolver=get_cart, graphql_type=WebCart | None)
    viewer = strawberry.field(resolver=get_viewer, graphql_type=WebViewer | None)


@strawberry.type
class Mutation:
    """What can be changed."""

    set_cart_item = strawberry.mutation(resolver=set_cart_item, graphql_type=WebCart | None)
    checkout = strawberry.mutation(resolver=checkout, graphql_type=WebOrder | None)
    remove_cart_item = strawberry.mutation(resolver=remove_cart_item, graphql_type=WebCart | None)


schema = strawberry.Schema(Query, Mutation)
