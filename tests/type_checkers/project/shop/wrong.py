"""Mistakes: each line with an arrow is an error for both type checkers."""

from bff_core import Policy, Require, Views, gateway
from bff_core.auth import BearerAuthenticator, SessionAuthenticator
from bff_core.policy import Limit
from shop.screens import ProductPage
from shop.services import Catalog
from shop.views import views

Views(acces=Require())  # <-
Views(criticality="urgent")  # <-
Views(max_values="many")  # <-
Views(idempotency="requird")  # <-
views.get("/a", acces=Require())  # <-
views.get("/a", criticality="urgent")  # <-
views.get("/a", idempotency="required")  # <-
views.get("/a", cache="no")  # <-
views.get("/a", sumary="A view")  # <-
views.get("/a", status_code="200")  # <-
views.post("/a", idempotency="always")  # <-
views.post("/a", public=True)  # <-
views.put("/a", max_value=3)  # <-
views.patch("/a", status="201")  # <-
views.delete("/a", access="orders:write")  # <-
views.stream("/a", meta=True)  # <-
gateway("shop", titel="Shop")  # <-
gateway("shop", title="Shop")  # <-
gateway("shop", docs_url=7)  # <-
gateway("shop", faces=views)  # <-
gateway("shop", services=[Catalog.policy])  # <-
gateway("shop", authenticator="session")  # <-
gateway("shop", limits=[Limit(quot=600)])  # <-
gateway("shop", authenticator=SessionAuthenticator(scope=7))  # <-
gateway("shop", authenticator=BearerAuthenticator("https://id.example"))  # <-
Policy(timout=0.8)  # <-


async def forgets_to_await(page: ProductPage) -> None:
    """Iterate a part, which has no items before it is awaited."""
    str.join(", ", page.product())  # <-


async def several_keys(page: ProductPage, ids: list[str]) -> None:
    """Load several keys, rightly and wrongly."""
    await page.related("1")
    await page.related.many(ids)
    await page.related(ids)  # <-
    await page.related(("1", "2"))  # <-
