"""The desktop gateway: `bff serve bffs.desktop.app:app`."""

from pathlib import Path

from bff_core import Limit, gateway
from bff_core.proxy import Proxy
from bffs.compositions.checkout import Checkout
from bffs.desktop import checkout, dashboard, orders, prices, products
from bffs.scopes import demo_viewer
from bffs.services.identity import desktop_apps

app = gateway(
    "desktop",
    sagas=[Checkout],
    # A dashboard or an export weighs what it takes from the services.
    limits=[Limit(quota=30_000, cost="calls"), Limit(quota=60_000, by="address")],
    authenticator=desktop_apps,
    demo=demo_viewer,
    faces=[
        dashboard.views,
        products.views,
        orders.views,
        prices.views,
        checkout.views,
        Proxy(file=Path(__file__).with_name("proxy.toml")),  # the suppliers' API
    ],
)
