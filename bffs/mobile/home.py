"""The phone's home screen: who you are, what is on its way, what may please."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import Require, Views, early, gather
from bffs.compositions.home import Home
from bffs.mobile.cards import MobileCard, cards
from bffs.scopes import PROFILE_READ
from bffs.services.carts import Cart
from bffs.services.orders import Order
from bffs.services.users import User


@dataclass(frozen=True, slots=True)
class MobileOrderState:
    """An order in a line."""

    id: str
    number: str
    status: str


@dataclass(frozen=True, slots=True)
class MobileHome:
    """The home screen; `cart_count` is null when the cart is unavailable."""

    name: str
    tier: str
    points: int
    cart_count: int | None
    orders: Sequence[MobileOrderState]
    deals: Sequence[MobileCard]
    picks: Sequence[MobileCard]


def early_profile(profile: User, _: Home) -> dict[str, object]:
    """Greet before the rest is there."""
    loyalty = profile.loyalty
    return {"name": profile.name.given, "tier": loyalty.tier, "points": loyalty.points}


def early_cart(cart: Cart | None, _: Home) -> dict[str, object]:
    """Show the number at the cart."""
    return {"cart_count": None if cart is None else cart.count}


def early_orders(orders: Sequence[Order], _: Home) -> dict[str, object]:
    """Show what is on its way."""
    return {"orders": [_state(order) for order in orders]}


views = Views(prefix="/v1", tags=["home"])


@views.get(
    "/home",
    access=Require(PROFILE_READ),
    objective="complete 99.5 %, ≤ 300 ms",
    progressive=[
        early(Home.profile, early_profile),
        early(Home.cart, early_cart),
        early(Home.orders, early_orders),
    ],
)
async def get_home(home: Home) -> MobileHome:
    """Show the home screen."""
    profile, cart, orders, deals, picks = await gather(
        home.profile(), home.cart(), home.orders(), home.deals(), home.picks()
    )
    dealt = [deal.product_id for deal in deals]
    picked = [pick.product_id for pick in picks]
    listed = await cards(home, await home.summary.many(dict.fromkeys(dealt + picked)))
    return MobileHome(
        name=profile.name.given,
        tier=profile.loyalty.tier,
        points=profile.loyalty.points,
        cart_count=None if cart is None else cart.count,
        orders=[_state(order) for order in orders],
        deals=[card for card in listed if card.id in dealt],
        picks=[card for card in listed if card.id not in dealt],
    )


def _state(order: Order) -> MobileOrderState:
    return MobileOrderState(order.id, order.number, order.status)
