"""The mobile gateway: `python -m bff_core.server bffs.mobile.app:app`."""

from bff_core import Limit, gateway
from bffs.compositions.checkout import Checkout
from bffs.mobile import cart, checkout, home, orders, products
from bffs.scopes import demo_viewer
from bffs.services.carts import Carts
from bffs.services.catalog import Catalog
from bffs.services.identity import mobile_apps
from bffs.services.inventory import Inventory
from bffs.services.orders import Orders
from bffs.services.payments import Payments
from bffs.services.pricing import Pricing
from bffs.services.recommendations import Recommendations
from bffs.services.reviews import Reviews
from bffs.services.users import Users

app = gateway(
    "mobile",
    services=[
        Users,
        Catalog,
        Pricing,
        Inventory,
        Orders,
        Carts,
        Payments,
        Reviews,
        Recommendations,
    ],
    sagas=[Checkout],
    limits=[Limit(quota=6000), Limit(quota=60_000, by="address")],
    authenticator=mobile_apps,
    demo=demo_viewer,
    faces=[home.views, products.views, orders.views, cart.views, checkout.views],
)
