"""Who may use which route and which field of the reference gateways, as one table."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import GraphQLObjectType

from bff_core.graphql.schema import graphql_schema
from bffs.scopes import CUSTOMER, STAFF
from bffs.services.identity import SCOPE
from bffs.web.schema import schema
from services_mock.identity.clients import FOR_CUSTOMERS, SCOPES

ANYONE, SIGNED_IN = "anyone", "signed in"
PAGES = {"GET HEAD /openapi.json"}
PRICE = {"sku": "nonsense", "price": {"amount": 1, "currency": "EUR"}}


@dataclass(frozen=True)
class Route:
    """A route, the scope that it takes, and a request to which the answer is `status`."""

    gateway: str
    route: str
    scope: str
    path: str
    status: int = 200
    json: Any = field(default=None, hash=False)

    def __str__(self) -> str:
        return f"{self.gateway} {self.route}"


ROUTES = [
    Route("mobile", "GET /v1/home", "profile:read", "/v1/home"),
    Route("mobile", "GET /v1/products", ANYONE, "/v1/products?limit=1"),
    Route("mobile", "GET /v1/products/{product_id}", ANYONE, "/v1/products/42"),
    Route("mobile", "GET /v1/orders", "orders:read", "/v1/orders"),
    Route("mobile", "GET /v1/orders/{order_id}", "orders:read", "/v1/orders/{order}"),
    Route("mobile", "GET /v1/cart", "cart:read", "/v1/cart"),
    Route(
        "mobile",
        "PUT /v1/cart/items/{sku}",
        "cart:write",
        "/v1/cart/items/nonsense",
        404,
        {"quantity": 1},
    ),
    Route(
        "mobile", "DELETE /v1/cart/items/{sku}", "cart:write", "/v1/cart/items/nonsense", 404, {}
    ),
    Route("mobile", "GET /v1/categories", ANYONE, "/v1/categories"),
    Route("mobile", "GET /v1/checkout", "cart:read", "/v1/checkout"),
    Route(
        "mobile",
        "POST /v1/checkout",
        "orders:write",
        "/v1/checkout",
        422,
        {"payment_method_id": "none"},
    ),
    Route("desktop", "GET /v1/dashboard", "profile:read", "/v1/dashboard"),
    Route("desktop", "GET /v1/products", ANYONE, "/v1/products?limit=1"),
    Route("desktop", "GET /v1/products/{product_id}", ANYONE, "/v1/products/42"),
    Route("desktop", "GET /v1/orders", "orders:read", "/v1/orders?limit=1"),
    Route("desktop", "GET /v1/orders/export", "orders:read", "/v1/orders/export"),
    Route("desktop", "GET /v1/orders/{order_id}", "orders:read", "/v1/orders/{order}"),
    Route(
        "desktop",
        "POST /v1/prices/bulk",
        "prices:write",
        "/v1/prices/bulk",
        207,
        {"items": [PRICE]},
    ),
    Route(
        "desktop",
        "POST /v1/checkout",
        "orders:write",
        "/v1/checkout",
        422,
        {"payment_method_id": "none"},
    ),
    Route("desktop", "GET HEAD /v1/suppliers", "prices:write", "/v1/suppliers?limit=1"),
    Route("desktop", "GET HEAD /v1/suppliers/{id}", "prices:write", "/v1/suppliers/7"),
    Route(
        "desktop",
        "GET HEAD /v1/suppliers/{id}/documents",
        "prices:write",
        "/v1/suppliers/7/documents",
    ),
    Route(
        "desktop",
        "GET HEAD /v1/suppliers/{id}/documents/{name}",
        "prices:write",
        "/v1/suppliers/7/documents/price-list.csv",
    ),
    Route(
        "desktop",
        "GET HEAD /v1/suppliers/{id}/prices",
        "prices:write",
        "/v1/suppliers/7/prices?limit=1",
    ),
    Route(
        "desktop",
        "PUT /v1/suppliers/{id}/documents/{name}",
        "prices:write",
        "/v1/suppliers/48/documents/price-list.csv",
        200,
        {},
    ),
    Route("web", "GET HEAD POST /graphql", ANYONE, "/graphql?query={__typename}"),
    Route("web", "GET /", ANYONE, "/"),
    Route("web", "GET /store/{path}", ANYONE, "/store/product/42"),
    Route("web", "GET /phone/", ANYONE, "/phone/"),
    Route("web", "GET /office/", ANYONE, "/office/"),
    Route("web", "GET /pages/{area}/{path}", ANYONE, "/pages/shared/worker.js"),
    Route("web", "GET /sw.js", ANYONE, "/sw.js"),
    Route("web", "GET /shop.json", ANYONE, "/shop.json"),
    Route(
        "web",
        "GET HEAD /pictures/{path}",
        ANYONE,
        "/pictures/products/tents/OLV/42-1/640w.svg",
    ),
]


@dataclass(frozen=True)
class Field:
    """A field, the scope that it takes, and a query of it.

    `code` is that of the error which even those get who may; `above` the field that refuses
    anonymous viewers before this one does.
    """

    name: str
    scope: str
    query: str
    code: str = ""
    above: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> list[str]:
        """Where the field stands in the answer; an order is the first of its list."""
        root, _, leaf = self.name.partition(".")
        return {"Home": ["home", leaf], "Order": ["order", leaf]}.get(root, [leaf])


SKU = 'sku: "nonsense"'
FIELDS = [
    Field("Query.home", SIGNED_IN, "{ home { deals { badge } } }"),
    Field("Query.product", ANYONE, '{ product(id: "42") { title } }'),
    Field("Query.products", ANYONE, "{ products(first: 1) { total } }"),
    Field("Query.categories", ANYONE, "{ categories { name } }"),
    Field("Query.orders", "orders:read", "{ orders(first: 1) { total } }"),
    Field("Query.order", "orders:read", '{ order(id: "{order}") { number } }'),
    Field("Query.cart", "cart:read", "{ cart { count } }"),
    Field("Home.viewer", "profile:read", "{ home { viewer { name } } }", above="home"),
    Field("Home.orders", "orders:read", "{ home { orders { number } } }", above="home"),
    Field("Home.cart", "cart:read", "{ home { cart { count } } }", above="home"),
    Field("Home.picks", "recommendations:read", "{ home { picks { trackingId } } }", above="home"),
    Field(
        "Home.paymentMethods", "payments:read", "{ home { paymentMethods { id } } }", above="home"
    ),
    Field(
        "Mutation.setCartItem",
        "cart:write",
        f"mutation {{ setCartItem({SKU}, quantity: 1) {{ count }} }}",
        "not_found",
    ),
    Field(
        "Mutation.removeCartItem",
        "cart:write",
        f"mutation {{ removeCartItem({SKU}) {{ count }} }}",
        "not_found",
    ),
    Field(
        "Mutation.checkout",
        "orders:write",
        'mutation { checkout(paymentMethodId: "none") { id } }',
        "invalid_input",
    ),
]
ELSEWHERE = {
    "Query.viewer": ANYONE,  # null for anonymous viewers; others need profile:read
    "Order.payment": "payments:read",  # stands below orders, which take a scope of their own
}
OPEN_TO_WHO_SEES_THE_PARENT = {
    "Attribute.value",
    "Cart.totals",
    "CartLine.image",
    "CartLine.product",
    "CartLine.unitPrice",
    "CartLine.variant",
    "Deal.product",
    "Home.deals",
    "Image.url",
    "OrderLine.product",
    "Pick.product",
    *(
        f"Product.{name}"
        for name in [
            "attributes",
            "brand",
            "category",
            "defaultSku",
            "delivery",
            "description",
            "id",
            "images",
            "options",
            "price",
            "rating",
            "related",
            "reviews",
            "stock",
            "subtitle",
            "title",
            "variantPrices",
            "variants",
        ]
    ),
    *(f"ProductCard.{name}" for name in ("price", "rating", "stock")),
    *(f"Stock.{name}" for name in ("standardDelivery", "variants")),
    "Variant.options",
    *(f"Viewer.{name}" for name in ("givenName", "name")),
}
"""Fields with resolvers that take no scope of their own: of the catalogue, or of what is above."""

EVERYTHING = frozenset((*CUSTOMER, *STAFF))


def bearer(scopes=None, user: str = "7") -> dict[str, str]:
    """Return the header of a customer, with these scopes or with the usual ones."""
    named = "" if scopes is None else f"?scope={'+'.join(sorted(scopes))}"
    return {"authorization": f"Bearer demo-{user}{named}"}


def viewers(scope: str) -> dict[str, tuple[dict[str, str], int]]:
    """Return viewers of all kinds, and 200, 401 or 403: what each meets where a scope is taken."""
    is_open, is_anyones = scope in {ANYONE, SIGNED_IN}, scope == ANYONE
    allowed = 200 if is_open else 403
    return {
        "anonymous": ({}, 200 if is_anyones else 401),
        "openid only": (bearer({"openid"}), allowed),
        "all but the scope": (bearer(EVERYTHING - {scope} | {"openid"}), allowed),
        "a scope much like it": (bearer({scope.upper(), f"{scope}s", scope[:-1]}), allowed),
        "the scope only": (bearer({scope}), 200),
        "a customer": (bearer(), 200 if is_open or scope in CUSTOMER else 403),
        "staff": (bearer(user="9"), 200),
    }


@pytest.fixture
def orders(mocks) -> dict[str, str]:
    """Empty the carts of two customers; return an order of each."""
    found = {}
    for customer in ("7", "9"):
        mocks.send("cart", "DELETE", f"/carts/{customer}")
        listed = mocks.get("orders", f"/orders?customer_id={customer}&limit=1").json()["items"]
        found[customer] = listed[0]["id"]
    return found


def of(headers: dict[str, str], orders: dict[str, str]) -> str:
    """Return an order of the customer that a header names."""
    return orders["9" if "demo-9" in headers.get("authorization", "") else "7"]


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_each_route_takes_its_scope(open_gateway, orders, route):
    """Anonymous viewers get a 401, those without the scope a 403; nothing else is needed."""
    method = route.route.split()[-2]
    met, expected = {}, {}
    async with open_gateway(route.gateway, viewer=None) as client:
        for who, (headers, status) in viewers(route.scope).items():
            path = route.path.replace("{order}", of(headers, orders))
            verb = "GET" if route.json is None else method
            answer = await client.request(verb, path, headers=headers, json=route.json)
            met[who] = (answer.status_code, answer.json().get("code") if status != 200 else None)
            code = {401: "not_authenticated", 403: "not_allowed"}.get(status)
            expected[who] = (route.status if status == 200 else status, code)

    assert met == expected


@pytest.mark.parametrize("one", FIELDS, ids=str)
async def test_each_field_takes_its_scope(open_gateway, orders, one):
    """What is refused is null, with an error at its path that programs can read."""
    met, expected = {}, {}
    async with open_gateway("web", viewer=None) as client:
        for who, (headers, status) in viewers(one.scope).items():
            query = one.query.replace("{order}", of(headers, orders))
            answer = await client.post("/graphql", json={"query": query}, headers=headers)
            errors = answer.json().get("errors", [])
            met[who] = [(error["path"], error["extensions"]["code"]) for error in errors]
            above = [one.above] if one.above and status == 401 else one.path
            code = {401: "not_authenticated", 403: "not_allowed"}.get(status, one.code)
            expected[who] = [(above, code)] if code else []

    assert met == expected


@pytest.mark.parametrize("gateway", ["web", "mobile", "desktop"])
async def test_no_route_is_without_a_rule(open_gateway, gateway):
    """Who adds a route, or opens one, has to say so in this table."""
    async with open_gateway(gateway) as client:
        listed = client.app.access
    rules = {str(one) for one in listed if "/graphql " not in one.path}

    assert rules == {
        *(f"{page}: anyone" for page in PAGES),
        *(f"{one.route}: {rule(one.scope)}" for one in ROUTES if one.gateway == gateway),
    }


def rule(scope: str) -> str:
    """Return a rule as `app.access` shows it."""
    return scope if scope in {ANYONE, SIGNED_IN} else f"{SIGNED_IN}, with {scope}"


async def test_no_field_is_without_a_rule(open_gateway):
    """Who adds a field that fetches something has to say in this table who may see it."""
    async with open_gateway("web") as client:
        listed = client.app.access
    rules = {one.path.split()[1]: str(one.access) for one in listed if "/graphql " in one.path}
    fetching = {
        f"{kind.name}.{name}"
        for kind in graphql_schema(schema).type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if field.extensions["strawberry-definition"].base_resolver is not None
    }

    assert rules == {
        **{one.name: rule(one.scope) for one in FIELDS},
        **{name: rule(scope) for name, scope in ELSEWHERE.items()},
    }
    assert fetching == rules.keys() | OPEN_TO_WHO_SEES_THE_PARENT


def test_apps_request_what_the_provider_knows():
    """The provider knows every scope; no customer is granted one of staff."""
    assert {*CUSTOMER} <= FOR_CUSTOMERS
    assert {*STAFF} <= SCOPES - FOR_CUSTOMERS
    assert {*SCOPE} <= FOR_CUSTOMERS
    assert {one.scope for one in (*ROUTES, *FIELDS)} - {ANYONE, SIGNED_IN} == EVERYTHING
