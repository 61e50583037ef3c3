"""The web gateway: one graph over all services, in which the selection is the plan."""

import json
import shlex

import pytest
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    parse,
)

from bff_core.graphql import QueryLimits
from bff_core.graphql.documents import Documents
from bff_core.testing import reply
from bffs.web.schema import schema
from tests.bffs.in_process import SCRIPTS
from tests.reference_project import PROJECT

pytestmark = pytest.mark.virtual_time

PRODUCT_PAGE = """
query Page($id: ID!) {
  product(id: $id) {
    title description images { url } attributes { label value unit } variants { sku }
    price { price { amount } } stock { status } rating { average count }
    reviews { title author { name } }
    related {
      id title image { url }
      price { price { amount } } stock { status } rating { average }
    }
  }
}
"""


async def ask(client, query, headers=None, **variables):
    """Send one request; return the JSON of its answer."""
    body = {"query": query, "variables": variables}
    answer = await client.post("/graphql", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(kind, outer=()):
    """Return a selection of all fields below a type, but for types within themselves."""
    fields = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            fields.append(name)
        elif inner not in outer:
            fields.append(f"{name} {everything(inner, (*outer, inner))}")
    return "{ %s }" % " ".join(fields)  # noqa: UP031 - braces are GraphQL's here


GRAPH = build_schema(schema.as_str())


@pytest.mark.parametrize("root", GRAPH.query_type.fields)
async def test_every_field_of_the_schema_is_served(open_gateway, mocks, root):
    """What the schema offers is there: each field of each root, from the real services."""
    bought = mocks.get("orders", "/orders?customer_id=1&limit=1").json()["items"][0]["id"]
    arguments = {"product": '(id: "42")', "order": f'(id: "{bought}")'}
    kind = get_named_type(GRAPH.query_type.fields[root].type)
    query = f"{{ {root}{arguments.get(root, '')} {everything(kind, (kind,))} }}"

    async with open_gateway("web") as client:
        answer = await ask(client, query)

    assert "errors" not in answer
    assert answer["data"][root]
    assert {part["status"] for part in answer["extensions"]["parts"].values()} == {"ok"}


PRINTED = json.loads(shlex.split(PROJECT.gateways["web"].examples["demo"])[-1])["query"]


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        (PRINTED, 3),
        (PRODUCT_PAGE, 237),
        ("{ products(first: 50) { items { id title image { url } rating { average } } } }", 351),
        ("{ orders(first: 10) { items { number lines { title product { id } } } } }", 221),
    ],
)
def test_pages_cost_a_small_part_of_what_is_accepted(query, cost):
    """A page of the shop could be ten times as large."""
    found = Documents(schema, QueryLimits(), with_introspection=False)

    assert found.admit(query, None, {"id": "42"})[1] == cost
    assert cost * 10 < QueryLimits().cost
    assert parse(query).token_count * 5 < QueryLimits().tokens


@pytest.mark.parametrize("root", GRAPH.query_type.fields)
def test_everything_of_a_root_is_accepted(root):
    """Even what selects every field of the schema below a root passes."""
    kind = get_named_type(GRAPH.query_type.fields[root].type)
    arguments = {"product": '(id: "42")', "order": '(id: "1")'}
    query = f"{{ {root}{arguments.get(root, '')} {everything(kind, (kind,))} }}"
    found = Documents(schema, QueryLimits(), with_introspection=False)

    assert found.admit(query, None, None)[1] < QueryLimits().cost


ALIASED = " ".join(
    f"a{n}: products(first: 50) {{ items {{ id title brand {{ name }} stock {{ status }} }} }}"
    for n in range(30)
)


@pytest.mark.parametrize(
    "query",
    [
        f"{{ {ALIASED} }}",
        "{ %s }" % ("products(first: 50) { items { id title stock { status } } } " * 30),
        '{ product(id: "1") { %s } }' % ("title " * 640),
        '{ product(id: "1") { %s } }' % ("... { title } " * 380),
    ],
)
async def test_query_that_would_keep_a_process_busy_is_refused(open_gateway, query):
    """Two kilobytes of query, without a sign-in, can't load the catalogue a thousand times."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.post(
            "/graphql",
            json={"query": query},
            headers={"accept": "application/graphql-response+json"},
        )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] in (
        "query_too_expensive",
        "query_too_large",
    )
    assert not client.calls


async def test_request_that_make_run_prints_is_answered(open_gateway):
    """What a newcomer copies from the terminal works."""
    async with open_gateway("web") as client:
        answer = await ask(client, PRINTED)

    assert "errors" not in answer
    assert answer["data"]["home"]["cart"]["count"]


async def test_product_page_costs_each_service_two_calls_at_most(open_gateway):
    """A product with reviews, and its 12 related products with price, stock and rating."""
    async with open_gateway("web") as client:
        answer = await ask(client, PRODUCT_PAGE, id="42")

    related = answer["data"]["product"]["related"]
    assert len(related) == 12
    assert all(card["price"] and card["stock"] and card["rating"] for card in related)
    services = ("catalog", "pricing", "inventory", "reviews")
    assert client.calls.counts == dict.fromkeys(services, 2)


@pytest.mark.parametrize(
    ("selection", "service"),
    [
        ("price { price { amount } }", "pricing"),
        ("stock { status }", "inventory"),
        ("reviews { id }", "reviews"),
        ("title", "catalog"),
    ],
)
async def test_field_that_is_not_selected_costs_nothing(open_gateway, selection, service):
    """One field, one call to one service."""
    async with open_gateway("web") as client:
        await ask(client, f'{{ product(id: "42") {{ id {selection} }} }}')

    assert client.calls.counts == {service: 1}


async def test_home_joins_the_products_of_all_its_parts_in_one_call(open_gateway):
    """Deals, picks, cart and orders show products: the catalog gets one call for each tick."""
    query = """{ home {
        viewer { name givenName } orders { number } cart { count }
        deals { badge product { title } } picks { trackingId product { title } }
    } }"""

    async with open_gateway("web") as client:
        answer = await ask(client, query)

    counted = client.calls.counts
    assert all(deal["product"]["title"] for deal in answer["data"]["home"]["deals"])
    assert all(pick["product"]["title"] for pick in answer["data"]["home"]["picks"])
    assert counted["catalog"] <= 2
    services = ("users", "orders", "cart", "pricing", "recommendations", "catalog")
    assert counted == dict.fromkeys(services, 1) | {"catalog": counted["catalog"]}


async def test_fields_that_are_down_say_so(open_gateway):
    """Without inventory the page is there; each stock is null with an error at its path."""
    async with open_gateway("web", inventory=reply(500)) as client:
        answer = await ask(client, PRODUCT_PAGE, id="42")

    product = answer["data"]["product"]
    assert product["title"]
    assert product["stock"] is None
    assert product["price"] is not None
    assert {tuple(error["path"]) for error in answer["errors"]} == {
        ("product", "stock"),
        *(("product", "related", place, "stock") for place in range(12)),
    }
    assert {error["extensions"]["part"] for error in answer["errors"]} == {"stock"}
    assert answer["extensions"]["parts"]["stock"]["status"] == "fallback"


async def test_lists_that_are_down_are_empty_and_reported(open_gateway):
    """Reviews have a fallback: an empty list, no error, and a part that says why."""
    reviews = {"/summaries": SCRIPTS["reviews"], "/reviews": reply(500)}
    async with open_gateway("web", reviews=reviews) as client:
        answer = await ask(client, PRODUCT_PAGE, id="42")

    assert answer["data"]["product"]["reviews"] == []
    assert "errors" not in answer
    assert answer["extensions"]["parts"]["reviews"]["status"] == "fallback"


async def test_product_that_does_not_exist_is_not_found(open_gateway):
    """An unknown id is null, with the code of a 404."""
    async with open_gateway("web") as client:
        answer = await ask(client, '{ product(id: "nope") { title } }')

    assert answer["data"] == {"product": None}
    assert answer["errors"][0]["extensions"]["code"] == "not_found"


async def test_roots_fail_apart(open_gateway):
    """One root that fails leaves the others alone."""
    async with open_gateway("web", orders=reply(500)) as client:
        answer = await ask(
            client, '{ orders { total } products(search: "a", first: 1) { items { id } } }'
        )

    assert answer["data"]["orders"] is None
    assert answer["data"]["products"] is not None
    assert [error["path"] for error in answer["errors"]] == [["orders"]]


async def test_language_follows_the_client(open_gateway):
    """Titles come in the browser's language, and `Vary` says so."""
    query = '{ product(id: "42") { category { name } } }'

    async with open_gateway("web") as client:
        names = [
            (await ask(client, query, {"accept-language": language}))["data"]["product"]
            for language in ("en", "de-AT,en;q=0.5", "fr", "ja")
        ]
        answer = await client.graphql(query)

    english, german, french, other = (name["category"]["name"] for name in names)
    assert len({english, german, french}) == 3
    assert other == english
    assert "Accept-Language" in answer.headers["vary"]


async def test_pictures_fit_the_display(open_gateway):
    """The client's width chooses the size, and a field may ask for another."""
    query = '{ product(id: "42") { images { url small: url(width: 100) } } }'

    async with open_gateway("web") as client:
        narrow = await ask(client, query, {"sec-ch-viewport-width": "300"})
        wide = await ask(client, query, {"sec-ch-viewport-width": "1900"})

    first, second = (one["data"]["product"]["images"][0] for one in (narrow, wide))
    assert first["url"] != second["url"]
    assert first["small"] == second["small"]


async def test_products_are_searched_page_by_page(open_gateway):
    """A cursor leads to the next page, which holds other products."""
    query = """query($after: String!) {
        products(category: "", first: 5, after: $after) { total nextCursor items { id } }
    }"""

    async with open_gateway("web") as client:
        first = (await ask(client, query, after=""))["data"]["products"]
        second = (await ask(client, query, after=first["nextCursor"]))["data"]["products"]

    assert first["total"] >= 2000
    assert len(first["items"]) == len(second["items"]) == 5
    assert not {one["id"] for one in first["items"]} & {one["id"] for one in second["items"]}


@pytest.mark.parametrize(
    "query",
    [
        "{ products(first: 51) { total } }",
        "{ orders(first: 0) { total } }",
        '{ product(id: "42") { related(first: 13) { id } } }',
        '{ product(id: "42") { reviews(first: 21) { id } } }',
    ],
)
async def test_page_that_is_too_large_is_refused(open_gateway, query):
    """The bounds of the screens hold here as they do over REST."""
    async with open_gateway("web") as client:
        answer = await ask(client, query)

    assert answer["errors"][0]["extensions"] == {"code": "invalid_input", "status": 422}


async def test_an_anonymous_caller_has_no_viewer(open_gateway):
    """Without a sign-in the viewer is null; what needs one says so."""
    async with open_gateway("web", viewer=None) as client:
        answer = await ask(client, '{ viewer { id } cart { count } product(id: "42") { title } }')

    assert answer["data"]["viewer"] is None
    assert answer["data"]["cart"] is None
    assert answer["data"]["product"]["title"]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["not_authenticated"]


async def test_order_of_somebody_else_is_not_found(open_gateway):
    """A viewer can't tell another's order from one that does not exist."""
    query = '{ order(id: "10001") { number } }'

    async with open_gateway("web", viewer="7") as client:
        answer = await ask(client, query)

    assert answer["data"] == {"order": None}
    assert answer["errors"][0]["extensions"]["code"] == "not_found"


async def test_cart_is_changed(open_gateway):
    """Setting and removing an item answer with the cart as it is then, products joined."""
    change = """mutation($sku: String!) {
        setCartItem(sku: $sku, quantity: 2) { lines { sku quantity product { title } } }
        removeCartItem(sku: $sku) { lines { sku } }
    }"""

    async with open_gateway("web", viewer="55") as client:
        shown = await ask(
            client, "{ products(first: 50) { items { defaultSku stock { status } } } }"
        )
        sku = next(
            one["defaultSku"]
            for one in shown["data"]["products"]["items"]
            if one["stock"]["status"] == "in_stock"
        )
        answer = await ask(client, change, sku=sku)

    lines = answer["data"]["setCartItem"]["lines"]
    (line,) = [one for one in lines if one["sku"] == sku]
    assert line["quantity"] == 2
    assert line["product"]["title"]
    assert sku not in [one["sku"] for one in answer["data"]["removeCartItem"]["lines"]]


@pytest.mark.parametrize(
    ("sku", "quantity", "code", "status"),
    [("nope", 1, "not_found", 404), ("42-BLK-M", 0, "unprocessable_content", 422)],
)
async def test_refused_change_says_why(open_gateway, sku, quantity, code, status):
    """The service's own problem reaches the client with its status and its words."""
    change = "mutation($sku: String!, $n: Int!) { setCartItem(sku: $sku, quantity: $n) { count } }"

    async with open_gateway("web") as client:
        answer = await ask(client, change, sku=sku, n=quantity)

    assert answer["data"] == {"setCartItem": None}
    assert answer["errors"][0]["extensions"] == {"code": code, "status": status}
    assert answer["errors"][0]["message"]


def test_only_lists_that_take_a_scope_can_be_null():
    """Other optional lists have a fallback, so clients need not handle null; a root may fail."""
    kinds = [kind for kind in GRAPH.type_map.values() if isinstance(kind, GraphQLObjectType)]
    lists = [
        (f"{kind.name}.{name}", field.type)
        for kind in kinds
        if not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList)
    ]
    nullable = {name for name, kind in lists if not isinstance(kind, GraphQLNonNull)}

    assert len(lists) >= 10
    scoped = {"Home.orders", "Home.picks", "Home.paymentMethods"}
    assert nullable == scoped | {"Query.categories"}


async def test_variants_are_named_and_pictured(open_gateway, mocks):
    """A page can offer colours and sizes in words, and show the picture of what is chosen."""
    query = """{ product(id: "42") {
      options { name label values { id label } } images { url }
      variants { sku imageIndex options { name value } }
    } }"""
    async with open_gateway("web", headers={"accept-language": "fr"}) as client:
        product = (await ask(client, query))["data"]["product"]
    offered = {
        (option["name"], value["id"]) for option in product["options"] for value in option["values"]
    }

    assert [option["name"] for option in product["options"]] == ["color", "size"]
    assert product["options"] == mocks.get("catalog", "/products/42?locale=fr").json()["options"]
    for variant in product["variants"]:
        chosen = {(one["name"], one["value"]) for one in variant["options"]}
        picture = product["images"][variant["imageIndex"]]["url"]
        assert chosen <= offered
        assert f"/{dict(chosen)['color']}/" in picture


CART = "{ cart { count totals { subtotal { amount } shipping { amount } total { amount } } } }"


async def test_the_cart_says_what_an_order_would_cost(open_gateway):
    """One more call, to orders, only where totals are selected."""
    async with open_gateway("web") as client:
        cart = (await ask(client, CART))["data"]["cart"]
    amounts = {name: money["amount"] for name, money in cart["totals"].items()}

    assert cart["count"] > 0
    assert amounts["total"] == amounts["subtotal"] + amounts["shipping"]
    assert client.calls.counts == {"cart": 1, "orders": 1}


async def test_the_cart_stays_without_its_totals(open_gateway):
    """They are null, with an error at their path and a part that says why."""
    async with open_gateway("web", orders=reply(500)) as client:
        answer = await ask(client, CART)

    assert answer["data"]["cart"]["count"] > 0
    assert answer["data"]["cart"]["totals"] is None
    assert [error["path"] for error in answer["errors"]] == [["cart", "totals"]]
    assert answer["extensions"]["parts"]["totals"]["status"] == "fallback"


async def test_a_changed_cart_has_its_new_totals(open_gateway, mocks):
    """A mutation answers with what the cart costs afterwards."""
    mocks.send("cart", "DELETE", "/carts/14")
    change = """mutation ($n: Int!) { setCartItem(sku: "42-BLK-M", quantity: $n) {
      totals { subtotal { amount } }
    } }"""
    stock = mocks.get("inventory", "/stock?ids=1,2,3,4,5,6,7,8").json()["items"]
    sku = next(one["sku"] for item in stock for one in item["skus"] if one["available"] > 5)
    change = change.replace("42-BLK-M", sku)
    async with open_gateway("web", viewer="14") as client:
        one, three = [(await ask(client, change, n=n))["data"]["setCartItem"] for n in (1, 3)]

    subtotals = [found["totals"]["subtotal"]["amount"] for found in (one, three)]
    assert subtotals[1] == subtotals[0] * 3


async def test_categories_are_a_tree_whose_ids_find_products(open_gateway, mocks):
    """Anonymous visitors can browse, in their language."""
    query = "{ categories { id name productCount children { id name children { id name } } } }"
    tree = mocks.get("catalog", "/categories?locale=de").json()["items"]

    async with open_gateway("web", viewer=None, headers={"accept-language": "de"}) as client:
        found = (await ask(client, query))["data"]["categories"]
        leaf = found[0]["children"][0]["children"][0]["id"]
        shown = await ask(client, "query($c: String) { products(category: $c) { total } }", c=leaf)

    assert [one["name"] for one in found] == [one["name"] for one in tree]
    assert [one["productCount"] for one in found] == [one["product_count"] for one in tree]
    assert sum(len(group["children"]) for one in found for group in one["children"]) >= 45
    assert shown["data"]["products"]["total"] > 0
