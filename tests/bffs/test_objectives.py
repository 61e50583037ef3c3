"""The objectives of the reference gateways: their overview shows budgets without more setup."""

import pytest

from bff_core.gateway.metrics import served_views

SCREEN = "complete 99.5 %, ≤ 300 ms"
WIDE = "complete 99 %, ≤ 500 ms"


@pytest.mark.parametrize(
    ("app", "objectives"),
    [
        ("web", {"query home": SCREEN, "query product": SCREEN, "query products": SCREEN}),
        (
            "mobile",
            {
                "GET /v1/home": SCREEN,
                "GET /v1/products": SCREEN,
                "GET /v1/products/{product_id}": SCREEN,
            },
        ),
        (
            "desktop",
            {
                "GET /v1/dashboard": WIDE,
                "GET /v1/orders": WIDE,
                "GET /v1/products/{product_id}": SCREEN,
            },
        ),
    ],
)
async def test_the_screens_that_customers_see_first_have_objectives(open_gateway, app, objectives):
    """A budget for what is degraded, failed or late."""
    async with open_gateway(app) as client:
        views = served_views(client.app.routes, client.app.config.faces)

    assert {
        label: view.objective.text for label, view in views.items() if view.objective is not None
    } == objectives
