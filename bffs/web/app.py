"""The web gateway: `bff serve bffs.web.app:app`."""

from bff_core import ANYONE, Cache, Limit, gateway
from bff_core.auth import SessionAuthenticator
from bff_core.graphql import GraphQL
from bff_core.proxy import Match, Proxy, Route
from bffs.compositions.checkout import Checkout
from bffs.scopes import demo_viewer
from bffs.services.catalog import Catalog
from bffs.services.identity import SCOPE
from bffs.web import pages
from bffs.web.schema import schema

pictures = Route(
    "pictures",
    Match("/pictures/{path:path}", methods=("GET",)),
    to=Catalog,
    access=ANYONE,
    cache=Cache(),  # as long as the service says: a year, also while it is down
)

app = gateway(
    "web",
    sagas=[Checkout],
    limits=[Limit(quota=6000), Limit(quota=60_000, by="address")],
    authenticator=SessionAuthenticator(scope=SCOPE),
    demo=demo_viewer,
    faces=[
        GraphQL(schema, public=["product", "products", "categories"]),
        Proxy(routes=[pictures]),
    ],
)
app.include_router(pages.router)
