"""What belongs to one customer is out of another's reach, by whatever id is sent (OWASP API1)."""

import pytest

ME, OTHER = "5", "6"


@pytest.fixture
def theirs(mocks) -> str:
    """Return an order of customer 6."""
    listed = mocks.get("orders", f"/orders?customer_id={OTHER}&limit=1").json()["items"]
    return listed[0]["id"]


@pytest.fixture
def cart(mocks) -> str:
    """Lay something that is in stock into the cart of customer 5."""
    found = mocks.get("inventory", "/stock?ids=1001,1002,1003,1004,1005,1006").json()["items"]
    sku = next(one["sku"] for stock in found for one in stock["skus"] if one["available"] > 20)
    mocks.send("cart", "DELETE", f"/carts/{ME}")
    mocks.send("cart", "PUT", f"/carts/{ME}/items/{sku}", json={"quantity": 1})
    return sku


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_anothers_order_is_none_over_rest(open_gateway, theirs, name):
    """The answer is that of an order which does not exist, word for word."""
    async with open_gateway(name, viewer=ME) as client:
        answer = await client.get(f"/v1/orders/{theirs}")
        unknown = await client.get("/v1/orders/99999999")

    problems = [{**one.json(), "request_id": "", "trace_id": ""} for one in (answer, unknown)]
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert problems[0] == problems[1]


async def test_anothers_order_is_none_over_graphql(open_gateway, theirs):
    """By itself, and beside one's own."""
    query = f'{{ one: order(id: "{theirs}") {{ id payment {{ status }} }} orders {{ total }} }}'
    async with open_gateway("web", viewer=ME) as client:
        answer = (await client.graphql(query)).json()

    assert answer["data"]["one"] is None
    assert answer["data"]["orders"]["total"] > 0
    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "not_found", "status": 404}
    ]


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_anothers_cursor_leads_nowhere(open_gateway, name):
    """A page's cursor is no key to the list that it was made for."""
    async with open_gateway(name, viewer=ME) as client:
        first = (await client.as_viewer(OTHER).get("/v1/orders?limit=1")).json()
        cursor = first.get("next") or first.get("next_cursor")
        answer = await client.get("/v1/orders", params={"cursor": cursor, "limit": 50})
        mine = await client.get("/v1/orders?limit=50")

    listed = answer.json().get("items", [])
    assert cursor
    assert answer.status_code in {200, 422}
    assert {str(one) for one in listed} <= {str(one) for one in mine.json()["items"]}


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_no_customer_pays_with_anothers_card_over_rest(open_gateway, mocks, cart, name):
    """No money is taken from anybody, and what was held is put back."""
    before = paid(mocks)
    async with open_gateway(name, viewer=ME) as client:
        answer = await client.post("/v1/checkout", json={"payment_method_id": f"pm-{OTHER}-1"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert {"step": "reserve", "state": "undone"} in answer.json()["steps"]
    assert paid(mocks) == before


async def test_no_customer_pays_with_anothers_card_over_graphql(open_gateway, mocks, cart):
    """The same refusal, as an error with a code."""
    before = paid(mocks)
    query = f'mutation {{ checkout(paymentMethodId: "pm-{OTHER}-1") {{ id }} }}'
    async with open_gateway("web", viewer=ME) as client:
        answer = (await client.graphql(query)).json()

    assert answer["data"] == {"checkout": None}
    assert answer["errors"][0]["extensions"]["code"] == "not_found"
    assert paid(mocks) == before


def paid(mocks) -> list[int]:
    """Return how many payments the customers have made."""
    pages = [mocks.get("payments", f"/payments?customer_id={one}&limit=1") for one in (ME, OTHER)]
    return [page.json()["total"] for page in pages]


@pytest.mark.parametrize("name", ["mobile", "web"])
async def test_an_id_in_the_request_leads_no_one_into_anothers_cart(
    open_gateway, mocks, cart, name
):
    """The cart is the viewer's, whatever parameters, headers or cookies name somebody else."""
    named = {"x-user-id": OTHER, "x-customer-id": OTHER, "cookie": f"customer_id={OTHER}"}
    query = {"query": "{ cart { lines { sku } } }"}
    mocks.send("cart", "DELETE", f"/carts/{OTHER}")
    async with open_gateway(name, viewer=ME) as client:
        request = {"params": {"customer_id": OTHER, "subject": OTHER}, "headers": named}
        if name == "web":
            answer = await client.post("/graphql", json=query, **request)
        else:
            answer = await client.get("/v1/cart", **request)

    assert cart in answer.text


async def test_a_key_of_another_customer_is_no_key_to_their_answer(open_gateway, mocks, cart):
    """The same Idempotency-Key of two customers is two purchases, each of its own cart."""
    mocks.send("cart", "DELETE", f"/carts/{OTHER}")
    key = {"idempotency-key": "the-same-key-0123456789"}
    methods = mocks.get("payments", f"/payment-methods?customer_id={ME}").json()["items"]
    usable = next(one["id"] for one in methods if one["last4"] != "0002")
    async with open_gateway("mobile", viewer=ME) as client:
        mine = await client.post("/v1/checkout", json={"payment_method_id": usable}, headers=key)
        other = client.as_viewer(OTHER)
        theirs = await other.post("/v1/checkout", json={"payment_method_id": usable}, headers=key)

    assert mine.status_code == 201, mine.text
    assert theirs.status_code == 422
    assert theirs.json()["detail"] == "The cart is empty."
