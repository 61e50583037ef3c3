"""The home screen, and who looks at it."""

import strawberry

from bff_core import Require
from bff_core.graphql import ListSize, ShapeOf, each, part, value
from bffs.compositions.home import Home
from bffs.compositions.shelf import Shelf
from bffs.scopes import (
    CART_READ,
    ORDERS_READ,
    PAYMENTS_READ,
    PROFILE_READ,
    RECOMMENDATIONS_READ,
)
from bffs.services.pricing import Deal
from bffs.services.recommendations import Recommendation
from bffs.services.users import Loyalty, User
from bffs.web.cart import WebCart
from bffs.web.orders import WebMethod, WebOrder
from bffs.web.shelf import WebCard
from bffs.web.values import WebImage, WebMoney


class WebLoyalty(ShapeOf[Loyalty], name="Loyalty"):
    """What the shop thinks of a customer."""

    tier: str
    points: int
    points_to_next: int | None


class WebViewer(ShapeOf[User], name="Viewer"):
    """The customer who is signed in."""

    id: strawberry.ID
    email: str
    name: str = value(User, lambda user: user.name.full)
    given_name: str = value(User, lambda user: user.name.given)
    avatar: WebImage
    loyalty: WebLoyalty


class WebDeal(ShapeOf[Deal], name="Deal"):
    """A product that is cheaper until a day."""

    id: strawberry.ID
    price: WebMoney
    list_price: WebMoney
    discount_percent: int
    badge: str
    ends_at: str
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


class WebPick(ShapeOf[Recommendation], name="Pick"):
    """What the customer may like; `trackingId` goes with every click on it."""

    tracking_id: str
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


class WebHome(ShapeOf[Home], name="Home"):
    """Who you are, what you bought, what lies in your cart, and what you may like.

    A field that the viewer has no scope for is null, with an error `not_allowed`.
    """

    viewer: WebViewer | None = part(Home.profile, WebViewer.of, access=Require(PROFILE_READ))
    orders: list[WebOrder] | None = part(
        Home.orders, each(WebOrder.of), most=20, access=Require(ORDERS_READ)
    )
    cart: WebCart | None = part(Home.cart, WebCart.of, access=Require(CART_READ))
    picks: list[WebPick] | None = part(
        Home.picks, each(WebPick.of), most=30, access=Require(RECOMMENDATIONS_READ)
    )
    deals: list[WebDeal] = part(Home.deals, each(WebDeal.of), most=30)
    payment_methods: list[WebMethod] | None = part(
        Home.payment_methods,
        each(WebMethod.of),
        access=Require(PAYMENTS_READ),
        directives=[ListSize(assumed_size=3)],
    )
