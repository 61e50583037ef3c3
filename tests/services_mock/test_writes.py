"""Writes: what they change, what they refuse, and that a repeated one happens once."""

import pytest

from services_mock.data import goods, stock
from services_mock.stores.reservations import Reservations, ReservedLine


def sku_with(left: int) -> str:
    """Return a SKU of which exactly so many are left."""
    skus = (variant.sku for item in goods.everything() for variant in item.variants)
    return next(sku for sku in skus if stock.available(sku) == left)


PLENTY, FOUR, GONE = sku_with(60), sku_with(4), sku_with(0)


def code(answer) -> tuple[int, str]:
    """Return status and problem code."""
    return answer.status_code, answer.json()["code"]


# cart


async def test_a_line_is_put_changed_and_taken_out(shop):
    """The count follows, the version grows, and a changed line has the same age."""
    cart = shop("cart")
    before = (await cart.get("/carts/1")).json()
    put = (await cart.put(f"/carts/1/items/{PLENTY}", json={"quantity": 2, "gift": True})).json()
    changed = (await cart.put(f"/carts/1/items/{PLENTY}", json={"quantity": 3})).json()
    gone = (await cart.delete(f"/carts/1/items/{PLENTY}")).json()

    assert put["count"] == before["count"] + 2
    assert changed["count"] == before["count"] + 3
    assert changed["lines"][-1] == put["lines"][-1] | {"quantity": 3}
    assert changed["lines"][-1]["gift"] is True
    assert gone["lines"] == before["lines"]
    assert gone["version"] == before["version"] + 3
    assert (await cart.get("/carts/1")).json() == gone


async def test_a_cart_is_emptied(shop):
    """One call takes everything out; what was put aside stays."""
    cart = shop("cart")
    before = (await cart.get("/carts/1")).json()

    empty = (await cart.delete("/carts/1")).json()

    assert (empty["lines"], empty["count"]) == ([], 0)
    assert empty["saved_for_later"] == before["saved_for_later"]


@pytest.mark.parametrize("sku", ["nonsense", "42-BLK-", "0-BLK-M", "2401-BLK-M", "42"])
async def test_an_unknown_sku_is_refused(shop, sku):
    """What is not sold cannot be put into a cart."""
    answer = await shop("cart").put(f"/carts/1/items/{sku}", json={"quantity": 1})

    assert code(answer) == (404, "unknown_sku")


@pytest.mark.parametrize(("sku", "quantity", "left"), [(GONE, 1, 0), (FOUR, 5, 4)])
async def test_more_than_there_is_is_refused(shop, sku, quantity, left):
    """The problem says how many there are, and the cart stays as it was."""
    before = (await shop("cart").get("/carts/1")).json()
    answer = await shop("cart").put(f"/carts/1/items/{sku}", json={"quantity": quantity})

    assert code(answer) == (409, "out_of_stock")
    assert answer.json()["available"] == left
    assert answer.json()["requested"] == quantity
    assert (await shop("cart").get("/carts/1")).json() == before


@pytest.mark.parametrize("body", [{"quantity": 0}, {"quantity": 100}, {"quantity": "2"}, {}, []])
async def test_a_bad_quantity_is_refused(shop, body):
    """The problem names the field."""
    answer = await shop("cart").put(f"/carts/1/items/{PLENTY}", json=body)

    assert code(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["loc"].startswith("body")


async def test_what_is_not_in_the_cart_cannot_be_taken_out(shop):
    """A second delete says that there is nothing."""
    answer = await shop("cart").delete(f"/carts/1/items/{PLENTY}")

    assert code(answer) == (404, "not_in_cart")


async def test_a_write_to_a_changed_cart_is_refused(shop):
    """`If-Match` protects from overwriting what another device did."""
    cart = shop("cart")
    path = f"/carts/1/items/{PLENTY}"
    read = (await cart.get("/carts/1")).headers["etag"]
    first = await cart.put(path, json={"quantity": 1}, headers={"if-match": read})
    second = await cart.put(path, json={"quantity": 2}, headers={"if-match": read})
    third = await cart.delete(path, headers={"if-match": first.headers["etag"]})

    assert first.status_code == 200
    assert code(second) == (412, "version_conflict")
    assert third.status_code == 200


# inventory


async def test_reserved_stock_is_not_available_until_it_is_released(shop):
    """Held pieces leave the shelf and come back."""
    inventory = shop("inventory")
    wanted = {"lines": [{"sku": FOUR, "quantity": 3}], "customer_id": "1"}
    held = await inventory.post("/reservations", json=wanted)
    during = await available(inventory, FOUR)
    again = await inventory.post("/reservations", json=wanted)
    await inventory.delete(held.headers["location"])
    after = await available(inventory, FOUR)

    assert (held.status_code, held.json()["state"]) == (201, "held")
    assert (during, after) == (1, 4)
    assert code(again) == (409, "out_of_stock")
    assert again.json()["lines"] == [{"sku": FOUR, "requested": 3, "available": 1}]
    assert (await inventory.get(held.headers["location"])).status_code == 404


async def available(inventory, sku) -> int:
    """Return how many of a SKU the service says there are."""
    page = (await inventory.get("/stock", params={"skus": sku})).json()
    return page["items"][0]["available"]


async def test_a_reservation_is_all_or_nothing(shop):
    """One line too many, and none is held; lines of one SKU count together."""
    inventory = shop("inventory")
    lines = [{"sku": PLENTY, "quantity": 1}, {"sku": GONE, "quantity": 1}]
    mixed = await inventory.post("/reservations", json={"lines": lines})
    doubled = await inventory.post(
        "/reservations",
        json={"lines": [{"sku": FOUR, "quantity": 2}, {"sku": FOUR, "quantity": 3}]},
    )

    assert [line["sku"] for line in mixed.json()["lines"]] == [GONE]
    assert code(doubled) == (409, "out_of_stock")
    assert await available(inventory, PLENTY) == 60


async def test_confirmed_stock_is_gone_for_good(shop):
    """What was bought cannot be released."""
    inventory = shop("inventory")
    wanted = {"lines": [{"sku": PLENTY, "quantity": 10}]}
    held = (await inventory.post("/reservations", json=wanted)).json()
    confirmed = await inventory.post(f"/reservations/{held['id']}/confirm")
    released = await inventory.delete(f"/reservations/{held['id']}")

    assert confirmed.json()["state"] == "confirmed"
    assert code(released) == (409, "reservation_confirmed")
    assert await available(inventory, PLENTY) == 50


async def test_an_unknown_sku_cannot_be_reserved(shop):
    """The problem names it."""
    wanted = {"lines": [{"sku": "nonsense", "quantity": 1}]}
    answer = await shop("inventory").post("/reservations", json=wanted)

    assert code(answer) == (404, "unknown_sku")
    assert answer.json()["sku"] == "nonsense"


def test_a_reservation_expires():
    """Stock returns where the buyer was too late, and does not where they bought."""
    now = 0.0
    held = Reservations(clock=lambda: now)
    line = (ReservedLine(PLENTY, 5),)
    held.reserve(line, None, 60)
    bought = held.reserve(line, None, 60)
    held.confirm(bought.id)

    now = 59.9
    before = held.taken()[PLENTY]
    now = 60.0
    after = held.taken()[PLENTY]

    assert (before, after) == (10, 5)


# payments


def charge(**changes: object) -> dict[str, object]:
    """Return the body of a charge."""
    amount = {"amount": 4990, "currency": "EUR"}
    return {"customer_id": "1", "amount": amount, "payment_method_id": "pm-1-1"} | changes


async def test_a_charge_is_a_payment_that_can_be_read(shop):
    """Its order finds it, and it leads the customer's list."""
    payments = shop("payments")
    taken = await payments.post("/charges", json=charge(order_id="20000"))
    read = await payments.get(taken.headers["location"])
    by_order = (await payments.get("/payments", params={"order_ids": "20000"})).json()
    listed = (await payments.get("/payments", params={"customer_id": "1", "limit": 1})).json()

    assert taken.status_code == 201
    assert read.json() == taken.json() == by_order["items"][0] == listed["items"][0]
    assert taken.json()["status"] == "captured"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payment_method_id": "pm-1-3"}, "insufficient_funds"),
        ({"amount": {"amount": 1_000_001, "currency": "EUR"}}, "limit_exceeded"),
    ],
)
async def test_a_declined_card_says_why(shop, changes, reason):
    """No payment comes of it."""
    payments = shop("payments")
    before = (await payments.get("/payments", params={"customer_id": "1"})).json()["total"]
    answer = await payments.post("/charges", json=charge(**changes))
    after = (await payments.get("/payments", params={"customer_id": "1"})).json()["total"]

    assert code(answer) == (409, "card_declined")
    assert answer.json()["decline_reason"] == reason
    assert after == before


@pytest.mark.parametrize("method", ["pm-2-1", "pm-1-9", "pm-0-1", "nonsense"])
async def test_only_ones_own_methods_can_be_charged(shop, method):
    """Another customer's card is as unknown as none."""
    answer = await shop("payments").post("/charges", json=charge(payment_method_id=method))

    assert code(answer) == (404, "unknown_payment_method")


@pytest.mark.parametrize("amount", [0, -5, 1.5, "12"])
async def test_an_amount_that_is_none_is_refused(shop, amount):
    """Money is a positive whole number of minor units."""
    body = charge(amount={"amount": amount, "currency": "EUR"})
    answer = await shop("payments").post("/charges", json=body)

    assert code(answer) == (422, "invalid_request")


async def test_refunds_end_when_all_is_back(shop):
    """A part, then the rest, then no more."""
    payments = shop("payments")
    taken = (await payments.post("/charges", json=charge())).json()
    path = f"/payments/{taken['id']}/refunds"
    part = {"amount": {"amount": 990, "currency": "EUR"}, "reason": "scratched"}
    first = await payments.post(path, json=part)
    much = await payments.post(path, json={"amount": {"amount": 4001, "currency": "EUR"}})
    rest = await payments.post(path)
    over = await payments.post(path)

    assert (first.status_code, first.json()["status"]) == (201, "partially_refunded")
    assert code(much) == (409, "refund_exceeds_payment")
    assert much.json()["refundable"] == {"amount": 4000, "currency": "EUR"}
    assert (rest.json()["status"], rest.json()["refunded"]["amount"]) == ("refunded", 4990)
    assert [refund["amount"]["amount"] for refund in rest.json()["refunds"]] == [990, 4000]
    assert code(over) == (409, "refund_exceeds_payment")


# orders


async def test_an_order_is_placed_at_todays_prices(shop):
    """It can be read, listed and cancelled."""
    orders = shop("orders")
    wanted = {"customer_id": "1", "lines": [{"sku": PLENTY, "quantity": 2}], "payment_id": "pay-c1"}
    placed = await orders.post("/orders", json=wanted)
    product_id = PLENTY.partition("-")[0]
    cost = (await shop("pricing").get(f"/prices/{product_id}")).json()
    each = next(one["price"] for one in cost["variants"] if one["sku"] == PLENTY)
    cancelled = await orders.post(f"{placed.headers['location']}/cancel", json={"reason": "late"})
    listed = (await orders.get("/orders?customer_id=1&status=cancelled&limit=1")).json()

    assert (placed.status_code, placed.json()["status"]) == (201, "paid")
    assert placed.json()["lines"][0]["unit_price"] == each
    assert placed.json()["totals"]["subtotal"]["amount"] == 2 * each["amount"]
    assert cancelled.json()["status"] == "cancelled"
    assert listed["items"] == [cancelled.json()]


async def test_an_order_that_left_cannot_be_cancelled(shop):
    """The problem says what state it is in."""
    page = (await shop("orders").get("/orders?customer_id=1&status=delivered&limit=1")).json()
    answer = await shop("orders").post(f"/orders/{page['items'][0]['id']}/cancel")

    assert code(answer) == (409, "not_cancellable")
    assert answer.json()["order_status"] == "delivered"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"customer_id": "9999"}, (404, "unknown_customer")),
        ({"lines": [{"sku": "nonsense", "quantity": 1}]}, (404, "unknown_sku")),
        ({"lines": []}, (422, "invalid_request")),
        ({"surprise": 1}, (422, "invalid_request")),
    ],
)
async def test_an_impossible_order_is_refused(shop, changes, problem):
    """Nothing is placed."""
    wanted = {"customer_id": "1", "lines": [{"sku": PLENTY, "quantity": 1}]} | changes
    answer = await shop("orders").post("/orders", json=wanted)

    assert code(answer) == problem
    assert (await shop("orders").get("/orders?customer_id=1")).json()["total"] == 48


# pricing


async def test_a_changed_price_is_returned_from_then_on(shop):
    """By its product, alone and among many; the product costs what its cheapest variant does."""
    pricing = shop("pricing")
    before = (await pricing.get("/prices/42")).json()
    variant = before["variants"][0]
    wanted = {"amount": variant["price"]["amount"] * 2 // 3, "currency": "EUR"}
    changed = await pricing.put(f"/skus/{variant['sku']}/price", json=wanted)
    read = (await pricing.get("/prices/42")).json()
    among = (await pricing.get("/prices?ids=41,42")).json()["items"][1]

    assert changed.json() == read == among
    assert read["variants"][0]["price"] == wanted == read["price"]
    assert read["variants"][1:] == before["variants"][1:]
    assert read["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(
    ("sku", "wanted", "problem"),
    [
        ("nonsense", {"amount": 1, "currency": "EUR"}, (404, "unknown_sku")),
        (PLENTY, {"amount": 1, "currency": "EUR"}, (409, "price_change_too_steep")),
        (PLENTY, {"amount": 10_000_000, "currency": "EUR"}, (409, "price_change_too_steep")),
        (PLENTY, {"amount": 0, "currency": "EUR"}, (422, "invalid_request")),
        (PLENTY, {"amount": 5000, "currency": "USD"}, (422, "invalid_request")),
        (PLENTY, {"amount": 5000.5, "currency": "EUR"}, (422, "invalid_request")),
    ],
)
async def test_an_impossible_price_is_refused(shop, sku, wanted, problem):
    """Nothing changes."""
    pricing = shop("pricing")
    product = f"/prices/{PLENTY.partition('-')[0]}"
    before = (await pricing.get(product)).json()
    answer = await pricing.put(f"/skus/{sku}/price", json=wanted)

    assert code(answer) == problem
    assert (await pricing.get(product)).json() == before


# users


async def test_preferences_are_changed_one_by_one(shop):
    """What is left out stays as it was."""
    users = shop("users")
    before = (await users.get("/users/1")).json()["preferences"]
    wanted = {"favourite_categories": ["tents"], "newsletter": not before["newsletter"]}
    changed = await users.patch("/users/1/preferences", json=wanted)
    unknown = await users.patch("/users/1/preferences", json={"favourite_categories": ["x"]})

    assert changed.json()["preferences"] == before | wanted
    assert (await users.get("/users/1")).json() == changed.json()
    assert code(unknown) == (422, "invalid_request")


# idempotency


KEY = {"idempotency-key": "a-key"}


async def test_a_write_that_is_sent_twice_happens_once(shop):
    """The second answer is the first, and says so."""
    payments = shop("payments")
    first = await payments.post("/charges", json=charge(), headers=KEY)
    second = await payments.post("/charges", json=charge(), headers=KEY)
    listed = (await payments.get("/payments", params={"customer_id": "1"})).json()
    other = await payments.post("/charges", json=charge(), headers={"idempotency-key": "b-key"})

    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert listed["items"][0]["id"] == first.json()["id"]
    assert other.json()["id"] != first.json()["id"]


async def test_a_key_belongs_to_its_request(shop):
    """Another body, or another path, under the same key is refused."""
    cart = shop("cart")
    path = f"/carts/1/items/{PLENTY}"
    await cart.put(path, json={"quantity": 1}, headers=KEY)

    body = await cart.put(path, json={"quantity": 2}, headers=KEY)
    other = await cart.delete(path, headers=KEY)

    assert code(body) == code(other) == (422, "idempotency_conflict")
    assert (await cart.get("/carts/1")).json()["lines"][-1]["quantity"] == 1


async def test_a_refusal_is_repeated_as_well(shop):
    """The same question gets the same answer, though stock came back meanwhile."""
    inventory = shop("inventory")
    wanted = {"lines": [{"sku": FOUR, "quantity": 4}]}
    held = await inventory.post("/reservations", json=wanted)
    refused = await inventory.post("/reservations", json=wanted, headers=KEY)
    await inventory.delete(held.headers["location"])

    again = await inventory.post("/reservations", json=wanted, headers=KEY)

    assert code(refused) == code(again) == (409, "out_of_stock")
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_is_none_is_refused(shop, key):
    """Keys are 1 to 255 printable characters."""
    answer = await shop("cart").delete("/carts/1", headers={"idempotency-key": key})

    assert code(answer) == (422, "invalid_request")


async def test_reads_take_no_notice_of_a_key(shop):
    """Only writes are stored."""
    cart = shop("cart")
    first = await cart.get("/carts/1", headers=KEY)
    await cart.delete("/carts/1")

    second = await cart.get("/carts/1", headers=KEY)

    assert first.json()["lines"]
    assert second.json()["lines"] == []
