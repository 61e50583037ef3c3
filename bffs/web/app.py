"""The web gateway: `bff serve bffs.web.app:app`."""

from bff_core import Limit, gateway
from bff_core.auth import SessionAuthenticator
from bff_core.graphql import GraphQL
from bffs.compositions.checkout import Checkout
from bffs.scopes import demo_viewer
from bffs.services.identity import SCOPE
from bffs.web import pages
from bffs.web.schema import schema

app = gateway(
    "web",
    sagas=[Checkout],
    limits=[Limit(quota=6000), Limit(quota=60_000, by="address")],
    authenticator=SessionAuthenticator(scope=SCOPE),
    demo=demo_viewer,
    faces=[GraphQL(schema, public=["product", "products", "categories"])],
)
app.include_router(pages.router)
