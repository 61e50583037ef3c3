"""The web gateway: `python -m bff_core.server bffs.web.app:app`."""

from bff_core import Limit, gateway
from bff_core.graphql import GraphQL
from bffs.compositions.checkout import Checkout
from bffs.scopes import demo_viewer
from bffs.services.carts import Carts
from bffs.services.catalog import Catalog
from bffs.services.identity import browsers
from bffs.services.inventory import Inventory
from bffs.services.orders import Orders
from bffs.services.payments import Payments
from bffs.services.pricing import Pricing
from bffs.services.recommendations import Recommendations
from bffs.services.reviews import Reviews
from bffs.services.users import Users
from bffs.web import page
from bffs.web.schema import schema

app = gateway(
    "web",
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
    authenticator=browsers,
    demo=demo_viewer,
    faces=[GraphQL(schema, public=["product", "products"])],
)
app.include_router(page.router)
