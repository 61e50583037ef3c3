"""What is requested of the shop's three gateways, as a demo viewer."""

from typing import Any

from tests.wire.exchange import Headers, Recorder
from tests.wire.house import House

DEMO = {"authorization": "Bearer demo-1"}
STAFF = {"authorization": "Bearer demo-9"}
LINES = {"accept": "application/x-ndjson"}
KEY = "a-key-of-the-wire-tests-0123456789"
GRAPHQL = {"accept": "application/graphql-response+json"}

HOME = """{ home {
  viewer { name } cart { count } orders(first: 1) { number }
  picks(first: 1) { product { title } } deals(first: 1) { badge }
} }"""
PRODUCT = """{ product(id: 42) {
  title price { discountPercent } stock { status } rating { count }
  reviews(first: 1) { title } related(first: 1) { title }
} }"""
PRODUCTS = """{ products(search: "tent", first: 2) {
  total nextCursor items { id title brand { name } }
} }"""
ORDERS = """{ orders(first: 1) {
  total items { number lines { title quantity } payment { status method { label } } }
} }"""
EXPENSIVE = """{
  a: products(first: 50) { items { stock { variants { sku status available } } } }
  b: products(first: 50) { items { stock { variants { sku status available } } } }
  c: products(first: 50) { items { stock { variants { sku status available } } } }
}"""
PUT = """mutation ($sku: String!, $n: Int!) {
  setCartItem(sku: $sku, quantity: $n) { count lines { sku quantity } }
}"""
BUY = """mutation ($m: ID!) {
  checkout(paymentMethodId: $m) { status totals { total { amount } } }
}"""


def stocked_sku(house: House) -> str:
    """Return a variant of which there is enough."""
    found = house.call("inventory", "GET", "/stock?ids=1001,1002,1003,1004")["items"]
    return next(one["sku"] for stock in found for one in stock["skus"] if one["available"] > 20)


def buyer(house: House, first: int) -> tuple[dict[str, str], dict[str, str]]:
    """Fill the cart of a customer whom no bank declines; return headers and a checkout's body."""
    for customer in map(str, range(first, first + 50)):
        methods = house.call("payments", "GET", f"/payment-methods?customer_id={customer}")["items"]
        usual = [one["id"] for one in methods if one["kind"] != "card"]
        if usual:
            break
    house.call("cart", "DELETE", f"/carts/{customer}")
    item = f"/carts/{customer}/items/{stocked_sku(house)}"
    house.call("cart", "PUT", item, {"quantity": 2})
    return {"authorization": f"Bearer demo-{customer}"}, {"payment_method_id": usual[0]}


def mobile(house: House) -> list[dict[str, Any]]:
    """Send the requests of the mobile gateway."""
    record = Recorder(house.ports["mobile"])
    mobile_home(record)
    mobile_products(record)
    mobile_orders(record, house)
    mobile_cart(record, house)
    mobile_checkout(record, house)
    mobile_failures(record, house)
    mobile_rest(record)
    return record.entries


def mobile_home(record: Recorder) -> None:
    """Request health and the home screen."""
    record("healthz", "/healthz")
    record("readyz", "/readyz")
    record("version", "/version")
    record("home", "/v1/home", headers=DEMO)
    record("home again", "/v1/home", headers=DEMO, shows_body=False)
    record("home line by line", "/v1/home", headers=DEMO | LINES)
    record("home without a viewer", "/v1/home")
    record("home line by line without a viewer", "/v1/home", headers=LINES)
    record("home with a wrong token", "/v1/home", headers={"authorization": "Bearer wrong"})
    record("home with Basic", "/v1/home", headers={"authorization": "Basic YTpi"})
    record("head of home", "/v1/home", method="HEAD", headers=DEMO)
    record("options of home", "/v1/home", method="OPTIONS")
    record("post to home", "/v1/home", method="POST", headers=DEMO)


def mobile_products(record: Recorder) -> None:
    """Request products."""
    record("products", "/v1/products?limit=2")
    record("products in German", "/v1/products?limit=1", headers={"accept-language": "de"})
    record("products for a wide window", "/v1/products?limit=1&width=2000")
    record("products of a search", "/v1/products?limit=2&q=tent")
    record("products beyond the limit", "/v1/products?limit=51")
    record("products with a cursor that is none", "/v1/products?limit=2&cursor=none")
    record("categories in French", "/v1/categories", headers={"accept-language": "fr"})
    product = record("product", "/v1/products/42")
    tag = product.header("etag")
    record("product again", "/v1/products/42")
    record("product not modified", "/v1/products/42", headers={"if-none-match": tag})
    record("product with a weak tag", "/v1/products/42", headers={"if-none-match": f"W/{tag}"})
    record("product with any tag", "/v1/products/42", headers={"if-none-match": "*"})
    record(
        "product with another tag",
        "/v1/products/42",
        headers={"if-none-match": '"x"'},
        shows_body=False,
    )
    record(
        "product if it matches", "/v1/products/42", headers={"if-match": '"x"'}, shows_body=False
    )
    record(
        "product without a cache",
        "/v1/products/42",
        headers={"cache-control": "no-cache"},
        shows_body=False,
    )
    record("head of product", "/v1/products/42", method="HEAD")
    record(
        "product with brotli",
        "/v1/products/42",
        headers={"accept-encoding": "br"},
        shows_body=False,
    )
    record(
        "product with zstd",
        "/v1/products/42",
        headers={"accept-encoding": "zstd"},
        shows_body=False,
    )
    record(
        "product with gzip",
        "/v1/products/42",
        headers={"accept-encoding": "gzip"},
        shows_body=False,
    )
    record(
        "product with no coding",
        "/v1/products/42",
        headers={"accept-encoding": "identity;q=0, *;q=0"},
        shows_body=False,
    )
    record("product line by line", "/v1/products/43", headers=LINES)
    record("product that does not exist", "/v1/products/999999")
    record("product with meta", "/v1/products/44?_meta=true")


def mobile_orders(record: Recorder, house: House) -> None:
    """Request orders."""
    order = house.call("orders", "GET", "/orders?customer_id=1&limit=1")["items"][0]["id"]
    as_eight = {"authorization": "Bearer demo-8"}
    record("orders", "/v1/orders?limit=2", headers=DEMO)
    record("orders with a wrong limit", "/v1/orders?limit=x", headers=DEMO)
    record("order", f"/v1/orders/{order}", headers=DEMO)
    record("order of another customer", f"/v1/orders/{order}", headers=as_eight)
    record("order that does not exist", "/v1/orders/1", headers=DEMO)


def mobile_cart(record: Recorder, house: House) -> None:
    """Read and change a cart."""
    sku = stocked_sku(house)
    as_eight = {"authorization": "Bearer demo-8"}
    house.call("cart", "DELETE", "/carts/8")
    record("cart", "/v1/cart", headers=as_eight)
    item = f"/v1/cart/items/{sku}"
    record("cart item", item, method="PUT", headers=as_eight, json_body={"quantity": 2})
    record(
        "cart item beyond its range",
        item,
        method="PUT",
        headers=as_eight,
        json_body={"quantity": 100},
    )
    record(
        "cart item of no number",
        item,
        method="PUT",
        headers=as_eight,
        json_body={"quantity": "two"},
    )
    record("cart item without a body", item, method="PUT", headers=as_eight)
    record(
        "cart item that is no JSON",
        item,
        method="PUT",
        headers={**as_eight, "content-type": "application/json"},
        body=b'{"quantity": ',
    )
    record(
        "cart item as a form",
        item,
        method="PUT",
        headers={**as_eight, "content-type": "application/x-www-form-urlencoded"},
        body=b"quantity=2",
    )
    record(
        "cart item that is unknown",
        "/v1/cart/items/0-X-Y",
        method="PUT",
        headers=as_eight,
        json_body={"quantity": 1},
    )
    record("cart after that", "/v1/cart", headers=as_eight)
    record("what a checkout would cost", "/v1/checkout", headers=as_eight)
    record("cart item taken out", item, method="DELETE", headers=as_eight)
    record("cart item that was taken out", item, method="DELETE", headers=as_eight)
    record("what a checkout of an empty cart would cost", "/v1/checkout", headers=as_eight)
    with house.fault("cart", "error", status=500):
        record("cart that is stale", "/v1/cart", headers=as_eight)
        record("cart that is unavailable", "/v1/cart", headers={"authorization": "Bearer demo-20"})


def mobile_checkout(record: Recorder, house: House) -> None:
    """Buy, or be refused."""
    as_five, pay = buyer(house, 100)
    keyed = {**as_five, "idempotency-key": f'"{KEY}"'}
    record("checkout", "/v1/checkout", method="POST", headers=keyed, json_body=pay)
    record("checkout replayed", "/v1/checkout", method="POST", headers=keyed, json_body=pay)
    record(
        "checkout with a key that is used",
        "/v1/checkout",
        method="POST",
        headers=keyed,
        json_body={"payment_method_id": "pm-5-9"},
    )
    record(
        "checkout with a malformed key",
        "/v1/checkout",
        method="POST",
        headers={**as_five, "idempotency-key": '"'},
        json_body=pay,
    )
    house.call("cart", "DELETE", "/carts/6")
    as_six = {"authorization": "Bearer demo-6"}
    record(
        "checkout of an empty cart", "/v1/checkout", method="POST", headers=as_six, json_body=pay
    )
    record("checkout without a viewer", "/v1/checkout", method="POST", json_body=pay)
    record(
        "checkout without a way to pay", "/v1/checkout", method="POST", headers=as_six, json_body={}
    )
    as_six, six = buyer(house, 150)
    with house.fault("payments", "error", status=402, route="POST /charges"):
        record(
            "checkout that is declined",
            "/v1/checkout",
            method="POST",
            headers=as_six,
            json_body=six,
        )
    with house.fault("orders", "error", status=409, route="POST /orders"):
        record(
            "checkout that is refunded",
            "/v1/checkout",
            method="POST",
            headers=as_six,
            json_body=six,
        )


def mobile_failures(record: Recorder, house: House) -> None:
    """Request screens whose services fail."""
    with house.fault("reviews", "error", status=500):
        record("product without reviews", "/v1/products/50")
        record("product without reviews line by line", "/v1/products/51", headers=LINES)
    with house.fault("catalog", "error", status=500):
        record("product of a broken catalog", "/v1/products/52")
    with house.fault("catalog", "unavailable", retry_after=20):
        record("product of a catalog that is unavailable", "/v1/products/53")
    with house.fault("catalog", "garbage", flavour="html"):
        record("product of a catalog that sends HTML", "/v1/products/54")
    with house.fault("catalog", "garbage", flavour="shape"):
        record("product of a catalog that sends another shape", "/v1/products/55")
    with house.fault("catalog", "reset"):
        record("product of a catalog that resets", "/v1/products/56")
    with house.fault("catalog", "wrong_length", delta=-10):
        record("product of a catalog that breaks HTTP", "/v1/products/57")
    with house.fault("users", "error", status=500):
        record("home without its customer", "/v1/home", headers={"authorization": "Bearer demo-21"})
    with house.fault("recommendations", "error", status=500), house.fault("cart", "reset"):
        record("home that is degraded", "/v1/home", headers={"authorization": "Bearer demo-22"})


def mobile_rest(record: Recorder) -> None:
    """Request what is no screen."""
    record("a path that does not exist", "/v1/nowhere")
    record("a path with a last slash", "/v1/products/")
    record(
        "openapi not modified",
        "/openapi.json",
        headers={
            "if-none-match": record("openapi", "/openapi.json", shows_body=False).header("etag")
        },
    )
    record("a deadline that is over", "/v1/products/58", headers={"request-timeout": "0.000001"})
    record("a request id of the client", "/healthz", headers={"x-request-id": "mine"})
    record(
        "a request id that comes back",
        "/v1/products/42",
        method="HEAD",
        headers={"x-request-id": "mine"},
    )


def desktop(house: House) -> list[dict[str, Any]]:
    """Send the requests of the desktop gateway."""
    record = Recorder(house.ports["desktop"])
    order = house.call("orders", "GET", "/orders?customer_id=1&limit=1")["items"][0]["id"]
    price = house.call("pricing", "GET", "/prices/60")
    skus = [(one["sku"], one["price"]["amount"]) for one in price["variants"]]
    (first, amount), (second, _), *_ = skus
    record("dashboard", "/v1/dashboard", headers=DEMO, shows_body=False)
    record("dashboard line by line", "/v1/dashboard", headers=DEMO | LINES, shows_body=False)
    record("dashboard without a viewer", "/v1/dashboard")
    with house.fault("orders", "reset"), house.fault("payments", "error", status=503):
        record(
            "dashboard that is degraded",
            "/v1/dashboard",
            headers={"authorization": "Bearer demo-23"},
            shows_body=False,
        )
    record("products", "/v1/products?limit=1")
    record("product", "/v1/products/42", shows_body=False)
    record("product that does not exist", "/v1/products/x")
    record("orders", "/v1/orders?limit=1", headers=DEMO)
    record("order", f"/v1/orders/{order}", headers=DEMO)
    record("order of another customer", f"/v1/orders/{order}", headers=STAFF)
    record("order without its scope", "/v1/orders", headers={"authorization": "Bearer demo-"})
    record("export", "/v1/orders/export", headers={"authorization": "Bearer demo-30"})
    record("export without a viewer", "/v1/orders/export")
    record("head of the export", "/v1/orders/export", method="HEAD", headers=DEMO)
    with house.fault("orders", "error", status=500):
        record("export that fails at once", "/v1/orders/export", headers=DEMO)
    with house.fault("orders", "truncated", fraction=0.2):
        record(
            "export that is cut",
            "/v1/orders/export",
            headers={"authorization": "Bearer demo-30"},
            shows_body=False,
        )
    changes = [
        {"sku": first, "price": {"amount": amount - 1, "currency": "EUR"}},
        {"sku": first, "price": {"amount": amount, "currency": "EUR"}},
        {"sku": second, "price": {"amount": 1, "currency": "EUR"}},
        {"sku": "0-X-Y", "price": {"amount": 100, "currency": "EUR"}},
    ]
    body = {"items": changes}
    keyed = {**STAFF, "idempotency-key": f'"{KEY}"'}
    record("prices", "/v1/prices/bulk", method="POST", headers=keyed, json_body=body)
    record("prices replayed", "/v1/prices/bulk", method="POST", headers=keyed, json_body=body)
    record("prices of a customer", "/v1/prices/bulk", method="POST", headers=DEMO, json_body=body)
    record("no prices", "/v1/prices/bulk", method="POST", headers=STAFF, json_body={"items": []})
    with house.fault("pricing", "error", status=500):
        record(
            "prices that fail",
            "/v1/prices/bulk",
            method="POST",
            headers=STAFF,
            json_body={"items": changes[:1]},
        )
    as_seven, pay = buyer(house, 200)
    with house.fault("payments", "error", status=409, route="POST /charges"):
        record(
            "checkout that conflicts",
            "/v1/checkout",
            method="POST",
            headers=as_seven,
            json_body=pay,
        )
    record("checkout", "/v1/checkout", method="POST", headers=as_seven, json_body=pay)
    record(
        "put to a path that takes posts",
        "/v1/checkout",
        method="PUT",
        headers=as_seven,
        json_body=pay,
    )
    return record.entries


def web(house: House) -> list[dict[str, Any]]:
    """Send the requests of the web gateway."""
    record = Recorder(house.ports["web"])
    web_queries(record, house)
    web_refusals(record)
    web_over_http(record)
    web_mutations(record, house)
    return record.entries


def query(
    record: Recorder, name: str, text: str, *, headers: Headers | None = None, **more: Any
) -> None:
    """Send a GraphQL request."""
    body = {"query": text, **more}
    record(name, "/graphql", method="POST", headers=headers, json_body=body)


def web_queries(record: Recorder, house: House) -> None:
    """Send queries that are executed."""
    order = house.call("orders", "GET", "/orders?customer_id=1&limit=1")["items"][0]["id"]
    home = HOME
    query(record, "home", home, headers=DEMO)
    query(record, "home without a viewer", home)
    query(record, "home without a viewer, by status", home, headers=GRAPHQL)
    query(
        record,
        "product",
        PRODUCT,
    )
    query(
        record,
        "product with variables",
        "query ($id: ID!) { product(id: $id) { id title } }",
        variables={"id": "43"},
    )
    query(record, "product without its variable", "query ($id: ID!) { product(id: $id) { title } }")
    query(record, "product that does not exist", '{ product(id: "x") { title } }')
    query(
        record,
        "products",
        PRODUCTS,
    )
    query(record, "aliases", "{ a: product(id: 1) { title } b: product(id: 2) { title } }")
    query(
        record,
        "orders",
        ORDERS,
        headers=DEMO,
    )
    query(
        record,
        "order",
        f"{{ order(id: {order}) {{ number totals {{ total {{ amount currency }} }} }} }}",
        headers=DEMO,
    )
    query(
        record, "order of another customer", f"{{ order(id: {order}) {{ number }} }}", headers=STAFF
    )
    query(
        record,
        "cart with totals",
        "{ cart { count totals { total { amount currency } } } }",
        headers=DEMO,
    )
    query(record, "categories", "{ categories { id name children { children { name } } } }")
    query(record, "orders without a viewer", "{ orders { total } }")
    query(record, "viewer", "{ viewer { name } }", headers=DEMO)
    query(record, "viewer without a viewer", "{ viewer { name } }")
    query(record, "typename", "{ __typename }")
    query(record, "introspection", "{ __schema { queryType { name } mutationType { name } } }")


def web_refusals(record: Recorder) -> None:
    """Send queries that are refused."""
    query(record, "not parsed", "{ product(")
    query(record, "not parsed, by status", "{ product(", headers=GRAPHQL)
    query(record, "not valid", "{ product(id: 1) { colour } }")
    query(record, "not valid, by status", "{ product(id: 1) { colour } }", headers=GRAPHQL)
    query(
        record,
        "too large",
        "{ " + " ".join(f"a{number}: __typename" for number in range(400)) + " }",
    )
    query(
        record,
        "too expensive",
        EXPENSIVE,
    )
    query(record, "no operation of that name", "query A { __typename }", operationName="B")
    query(record, "several operations and no name", "query A { __typename } query B { __typename }")
    query(record, "subscription", "subscription { product { title } }")
    query(record, "a number that no float holds", "{ products(first: 1e999) { total } }")
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    record("persisted query", "/graphql", method="POST", json_body={"extensions": hashed})


def web_over_http(record: Recorder) -> None:
    """Send what GraphQL over HTTP does not take, and read the page."""
    record("batch", "/graphql", method="POST", json_body=[{"query": "{ __typename }"}])
    record("no query", "/graphql", method="POST", json_body={})
    record(
        "no JSON",
        "/graphql",
        method="POST",
        headers={"content-type": "application/json"},
        body=b"{",
    )
    record("text", "/graphql", method="POST", headers={"content-type": "text/plain"}, body=b"{}")
    record(
        "accepts HTML",
        "/graphql",
        method="POST",
        headers={"accept": "text/html"},
        json_body={"query": "{ __typename }"},
    )
    record("get", "/graphql?query=%7B__typename%7D")
    record(
        "get of a mutation",
        "/graphql?query=mutation%7BremoveCartItem(sku%3A%22x%22)%7Bcount%7D%7D",
        headers=DEMO,
    )
    record("put", "/graphql", method="PUT", json_body={})
    record("page", "/", shows_body=False)
    record("page of the store", "/store/product/42", shows_body=False)
    record("file of a page", "/pages/shared/worker.js", shows_body=False)
    record("file that is none", "/pages/shared/none.js")
    record("service worker", "/sw.js", shows_body=False)
    record("configuration", "/shop.json")
    record("picture", "/pictures/products/tents/OLV/42-1/640w.svg", shows_body=False)
    record("picture that is none", "/pictures/products/none")


def web_mutations(record: Recorder, house: House) -> None:
    """Change a cart, and buy."""
    sku = stocked_sku(house)
    house.call("cart", "DELETE", "/carts/10")
    as_ten = {"authorization": "Bearer demo-10"}
    query(record, "set cart item", PUT, headers=as_ten, variables={"sku": sku, "n": 2})
    query(
        record,
        "set cart item that is unknown",
        PUT,
        headers=as_ten,
        variables={"sku": "0-X-Y", "n": 2},
    )
    query(record, "set cart item without a viewer", PUT, variables={"sku": sku, "n": 2})
    keyed = {**as_ten, "idempotency-key": f'"{KEY}"'}
    query(record, "set cart item by key", PUT, headers=keyed, variables={"sku": sku, "n": 3})
    query(record, "set cart item replayed", PUT, headers=keyed, variables={"sku": sku, "n": 3})
    query(record, "set cart item by a used key", PUT, headers=keyed, variables={"sku": sku, "n": 4})
    as_eleven, paying = buyer(house, 250)
    pay = paying["payment_method_id"]
    with house.fault("payments", "error", status=409, route="POST /charges"):
        query(record, "checkout that conflicts", BUY, headers=as_eleven, variables={"m": pay})
    query(record, "checkout", BUY, headers=as_eleven, variables={"m": pay})
    with house.fault("reviews", "error", status=500):
        query(
            record,
            "product without reviews",
            "{ product(id: 61) { title rating { count } reviews { title } } }",
        )
    with house.fault("catalog", "error", status=500):
        query(record, "product of a broken catalog", "{ product(id: 62) { title } }")
