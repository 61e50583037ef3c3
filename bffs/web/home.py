"""The home screen, and who looks at it; the value is the `Home` composition itself."""

from collections.abc import Sequence

import strawberry

from bff_core import Require, access
from bff_core.graphql import Info, ListSize
from bffs.compositions.home import Home
from bffs.scopes import (
    CART_READ,
    ORDERS_READ,
    PAYMENTS_READ,
    PROFILE_READ,
    RECOMMENDATIONS_READ,
)
from bffs.services.carts import Cart
from bffs.services.catalog import Summary
from bffs.services.orders import Order
from bffs.services.payments import Method
from bffs.services.pricing import Deal
from bffs.services.recommendations import Recommendation
from bffs.services.users import User
from bffs.web.cart import WebCart
from bffs.web.orders import WebMethod, WebOrder
from bffs.web.shelf import WebCard, card
from bffs.web.values import WebImage, WebMoney, at_most

Screen = strawberry.Parent[Home]


@strawberry.type(name="Loyalty")
class WebLoyalty:
    """What the shop thinks of a customer."""

    tier: str
    points: int
    points_to_next: int | None


def get_name(user: strawberry.Parent[User]) -> str:
    """Return the name as it is written."""
    return user.name.full


def get_given_name(user: strawberry.Parent[User]) -> str:
    """Return what a friend would say."""
    return user.name.given


@strawberry.type(name="Viewer")
class WebViewer:
    """The customer who is signed in."""

    id: strawberry.ID
    email: str
    name: str = strawberry.field(resolver=get_name)
    given_name: str = strawberry.field(resolver=get_given_name)
    avatar: WebImage
    loyalty: WebLoyalty


async def get_promoted(
    what: strawberry.Parent[Deal | Recommendation], info: Info
) -> Summary | None:
    """Return the product that it is about."""
    return await card(info, what.product_id)


@strawberry.type(name="Deal")
class WebDeal:
    """A product that is cheaper until a day."""

    id: strawberry.ID
    price: WebMoney
    list_price: WebMoney
    discount_percent: int
    badge: str
    ends_at: str
    product = strawberry.field(resolver=get_promoted, graphql_type=WebCard | None)


@strawberry.type(name="Pick")
class WebPick:
    """What the customer may like; `trackingId` goes with every click on it."""

    tracking_id: str
    product = strawberry.field(resolver=get_promoted, graphql_type=WebCard | None)


@access(Require(PROFILE_READ))
async def get_profile(home: Screen) -> User:
    """Return who is signed in."""
    return await home.profile()


@access(Require(ORDERS_READ))
async def get_orders(home: Screen, first: int = 3) -> Sequence[Order]:
    """Return the latest orders."""
    return await home.orders(at_most(20, first))


@access(Require(CART_READ))
async def get_cart(home: Screen) -> Cart | None:
    """Return what lies in the cart."""
    return await home.cart()


@access(Require(RECOMMENDATIONS_READ))
async def get_picks(home: Screen, first: int = 10) -> Sequence[Recommendation]:
    """Return what the customer may like."""
    return await home.picks(at_most(30, first))


async def get_deals(home: Screen, first: int = 5) -> Sequence[Deal]:
    """Return what is cheaper for a while."""
    return await home.deals(at_most(30, first))


@access(Require(PAYMENTS_READ))
async def get_payment_methods(home: Screen) -> Sequence[Method]:
    """Return how the customer can pay."""
    return await home.payment_methods()


@strawberry.type(name="Home")
class WebHome:
    """Who you are, what you bought, what lies in your cart, and what you may like.

    A field that the viewer has no scope for is null, with an error `not_allowed`.
    """

    viewer = strawberry.field(resolver=get_profile, graphql_type=WebViewer | None)
    orders = strawberry.field(resolver=get_orders, graphql_type=list[WebOrder] | None)
    cart = strawberry.field(resolver=get_cart, graphql_type=WebCart | None)
    picks = strawberry.field(resolver=get_picks, graphql_type=list[WebPick] | None)
    deals = strawberry.field(resolver=get_deals, graphql_type=list[WebDeal])
    payment_methods = strawberry.field(
        resolver=get_payment_methods,
        graphql_type=list[WebMethod] | None,
        directives=[ListSize(assumed_size=3)],
    )
