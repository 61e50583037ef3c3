"""The desktop's home screen: all that the shop knows of its customer, on one page."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import Require, Views, early, gather
from bffs.compositions.home import Home
from bffs.desktop.customer import Customer
from bffs.desktop.rows import ProductRow, rows
from bffs.scopes import PROFILE_READ
from bffs.services.carts import Cart
from bffs.services.orders import Order
from bffs.services.payments import Method
from bffs.services.pricing import Deal
from bffs.services.users import User


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The home screen; `cart` is null, and lists are empty, where they can't be loaded or shown."""

    customer: Customer
    cart: Cart | None
    cart_products: Sequence[ProductRow]
    orders: Sequence[Order]
    payment_methods: Sequence[Method]
    deals: Sequence[Deal]
    picks: Sequence[ProductRow]


def early_customer(user: User, home: Home) -> dict[str, object]:
    """Greet before the rest is there."""
    return {"customer": Customer.of(user, home)}


def early_orders(orders: Sequence[Order], _: Home) -> dict[str, object]:
    """Show the latest orders."""
    return {"orders": orders}


views = Views(prefix="/v1", tags=["dashboard"])


@views.get(
    "/dashboard",
    access=Require(PROFILE_READ),
    objective="complete 99 %, ≤ 500 ms",
    progressive=[early(Home.profile, early_customer), early(Home.orders, early_orders)],
)
async def get_dashboard(home: Home) -> Dashboard:
    """Show the home screen."""
    user, cart, orders, methods, deals, picks = await gather(
        home.profile(),
        home.cart(),
        home.orders(first=10),
        home.payment_methods(),
        home.deals(first=10),
        home.picks(first=20),
    )
    in_cart, picked = await gather(
        home.summary.many(line.product_id for line in (cart.lines if cart else ())),
        home.summary.many(pick.product_id for pick in picks),
    )
    cart_products, pick_rows = await gather(rows(home, in_cart), rows(home, picked))
    customer = Customer.of(user, home)
    return Dashboard(customer, cart, cart_products, orders, methods, deals, pick_rows)
