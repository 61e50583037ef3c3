"""The mobile gateway: `bff serve bffs.mobile.app:app`."""

from bff_core import Limit, gateway
from bffs.compositions.checkout import Checkout
from bffs.mobile import cart, categories, checkout, home, orders, products
from bffs.scopes import demo_viewer
from bffs.services.identity import mobile_apps

app = gateway(
    "mobile",
    sagas=[Checkout],
    limits=[Limit(quota=6000), Limit(quota=60_000, by="address")],
    authenticator=mobile_apps,
    demo=demo_viewer,
    faces=[
        home.views,
        products.views,
        categories.views,
        orders.views,
        cart.views,
        checkout.views,
    ],
)
