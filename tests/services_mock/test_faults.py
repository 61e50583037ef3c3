"""Faults: how they are set, when they strike, and what they do to an app in process."""

import asyncio
import gzip
import random
import statistics

import msgspec
import pytest

from services_mock.faults import (
    Active,
    Constant,
    Error,
    Exponential,
    Lognormal,
    Normal,
    Uniform,
)

SOCKET_KINDS = ("reset", "truncated", "wrong_length", "surplus")


async def put(service, *faults):
    """Set faults and return the answer."""
    return await service.put("/__faults__", json={"faults": list(faults)})


async def test_faults_are_read_as_they_were_set_and_cleared(shop):
    """Defaults are filled in, and counts tell what happened."""
    catalog = shop("catalog")
    await put(catalog, {"kind": "error", "route": "/products/{product_id}", "times": 1})
    statuses = [(await catalog.get("/products/42")).status_code for _ in range(3)]
    other = (await catalog.get("/products")).status_code
    found = (await catalog.get("/__faults__")).json()
    cleared = await catalog.delete("/__faults__")

    assert statuses == [500, 200, 200]
    assert other == 200
    assert found == {
        "faults": [
            {
                "kind": "error",
                "route": "/products/{product_id}",
                "rate": 1.0,
                "seed": 0,
                "times": 1,
                "status": 500,
                "calls": 3,
                "hits": 1,
            }
        ]
    }
    assert cleared.status_code == 204
    assert (await catalog.get("/__faults__")).json() == {"faults": []}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "earthquake"},
        {"kind": "error", "status": 200},
        {"kind": "error", "rate": 1.1},
        {"kind": "error", "rate": -0.1},
        {"kind": "error", "times": 0},
        {"kind": "error", "route": "/nowhere"},
        {"kind": "error", "route": "POST /products"},
        {"kind": "error", "surprise": 1},
        {"kind": "latency"},
        {"kind": "latency", "distribution": {"name": "uniform", "low": 2, "high": 1}},
        {"kind": "latency", "distribution": {"name": "constant", "seconds": -1}},
        {"kind": "latency", "distribution": {"name": "exponential", "mean": 0}},
        {"kind": "hang", "seconds": 0},
        {"kind": "drip", "size": 0},
        {"kind": "garbage", "flavour": "vanilla"},
        {"rate": 1},
    ],
    ids=str,
)
async def test_a_bad_fault_is_refused_and_changes_nothing(shop, fault):
    """The problem says what is wrong; what was set stays."""
    catalog = shop("catalog")
    await put(catalog, {"kind": "unavailable"})
    answer = await put(catalog, {"kind": "error"}, fault)
    found = (await catalog.get("/__faults__")).json()["faults"]

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["message"]
    assert [one["kind"] for one in found] == ["unavailable"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"fault": []}', b'{"faults": {}}', b"\xff"])
async def test_a_body_that_holds_no_faults_is_refused(shop, body):
    """Garbage in is a problem out."""
    answer = await shop("catalog").put("/__faults__", content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("kind", SOCKET_KINDS)
async def test_an_app_in_process_refuses_faults_of_the_socket(shop, kind):
    """A test that would prove nothing gets an error."""
    answer = await put(shop("catalog"), {"kind": kind})

    assert (answer.status_code, answer.json()["code"]) == (422, "needs_socket")
    assert (await shop("catalog").get("/__faults__")).json() == {"faults": []}


@pytest.mark.parametrize("route", ["*", "/carts/{customer_id}", "GET /carts/{customer_id}"])
async def test_a_fault_strikes_the_routes_it_names(shop, route):
    """By method and template, by template, or all; never the control routes."""
    cart = shop("cart")
    await put(cart, {"kind": "error", "status": 503, "route": route})

    got = await cart.get("/carts/1")
    deleted = await cart.delete("/carts/1")

    assert got.status_code == 503
    assert got.json()["code"] == "injected"
    assert deleted.status_code == (200 if route.startswith("GET") else 503)
    assert (await cart.get("/healthz")).status_code == 200


async def test_the_same_seed_meets_the_same_fate(shop):
    """A run can be repeated call by call; another seed is another run."""

    async def fates(seed):
        catalog = shop("catalog")
        await put(catalog, {"kind": "error", "rate": 0.3, "seed": seed})
        return [(await catalog.get("/prices")).status_code for _ in range(60)]

    first, second, other = await fates(7), await fates(7), await fates(8)

    assert first == second != other
    assert 5 < first.count(500) < 35


def test_a_fault_that_is_used_up_still_draws():
    """`times` ends a fault without shifting the fate of others that share its seed."""
    endless = Active(Error(rate=0.5, seed=3))
    twice = Active(Error(rate=0.5, seed=3, times=2))
    fates = []
    for _ in range(40):
        always, limited = endless.strikes(), twice.strikes()
        twice.hits += limited
        fates.append((always, limited))

    assert [limited for always, limited in fates if always] == [True, True] + [False] * (
        sum(always for always, _ in fates) - 2
    )
    assert twice.calls == 40


@pytest.mark.parametrize(
    ("distribution", "mean"),
    [
        (Constant(seconds=0.2), 0.2),
        (Uniform(low=0.1, high=0.5), 0.3),
        (Normal(mean=1.0, stddev=0.1), 1.0),
        (Exponential(mean=0.5), 0.5),
        (Lognormal(median=0.1, sigma=0.5), 0.1133),
    ],
    ids=lambda value: type(value).__name__,
)
def test_latencies_follow_their_distribution(distribution, mean):
    """The mean of many draws is the distribution's."""
    chance = random.Random(1)
    draws = [distribution.draw(chance) for _ in range(4000)]

    assert statistics.fmean(draws) == pytest.approx(mean, rel=0.06)
    assert min(draws) >= 0


@pytest.mark.virtual_time
async def test_latency_waits_and_then_answers_as_ever(shop):
    """Latencies of several faults add up, each capped by its own bound."""
    clock = asyncio.get_running_loop().time
    catalog = shop("catalog")
    plain = (await catalog.get("/products/42")).content
    await put(
        catalog,
        {"kind": "latency", "distribution": {"name": "constant", "seconds": 0.25}},
        {"kind": "latency", "distribution": {"name": "constant", "seconds": 30}, "at_most": 2},
    )

    began = clock()
    slow = await catalog.get("/products/42")

    assert clock() - began == pytest.approx(2.25)
    assert slow.content == plain


@pytest.mark.virtual_time
async def test_a_late_write_has_its_body(shop):
    """The body that was read before the wait arrives after it."""
    cart = shop("cart")
    sku = (await cart.get("/carts/1")).json()["lines"][0]["sku"]
    await put(cart, {"kind": "latency", "distribution": {"name": "constant", "seconds": 9}})

    answer = await cart.put(f"/carts/1/items/{sku}", json={"quantity": 4})

    assert answer.json()["lines"][0]["quantity"] == 4


@pytest.mark.virtual_time
async def test_a_hang_ends_when_the_client_gives_up(shop):
    """Nothing comes, however long one waits; and nothing is left behind."""
    catalog = shop("catalog")
    await put(catalog, {"kind": "hang"})

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await catalog.get("/products/42")

    calls = (await catalog.get("/__calls__")).json()
    assert (calls["total"], calls["active"]) == (1, 0)


@pytest.mark.virtual_time
async def test_a_hang_with_an_end_answers_503_in_process(shop):
    """Where no connection can be closed, the end is a problem."""
    catalog = shop("catalog")
    await put(catalog, {"kind": "hang", "seconds": 20})

    answer = await catalog.get("/products/42")

    assert answer.status_code == 503
    assert asyncio.get_running_loop().time() >= 20


@pytest.mark.virtual_time
async def test_a_drip_takes_its_time(shop):
    """Every part is followed by a pause, and the whole arrives."""
    clock = asyncio.get_running_loop().time
    catalog = shop("catalog")
    plain = (await catalog.get("/products/42")).content
    await put(catalog, {"kind": "drip", "size": 1000, "interval": 0.4})

    began = clock()
    slow = await catalog.get("/products/42")

    assert slow.content == plain
    assert clock() - began == pytest.approx(0.4 * -(-len(plain) // 1000))


@pytest.mark.virtual_time
async def test_a_pause_in_the_body_ends_with_the_rest_in_process(shop):
    """A stall is only a stall when there is no connection to close."""
    catalog = shop("catalog")
    plain = (await catalog.get("/products/42")).content
    await put(catalog, {"kind": "hang_mid_body", "seconds": 5})

    answer = await catalog.get("/products/42")

    assert answer.content == plain


async def test_unavailable_says_when_to_come_back(shop):
    """503 with `Retry-After` in seconds."""
    await put(shop("catalog"), {"kind": "unavailable", "retry_after": 7})
    answer = await shop("catalog").get("/products/42")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


@pytest.mark.parametrize("flavour", ["syntax", "cut", "nan", "deep", "html", "charset", "empty"])
async def test_garbage_is_sent_as_json_and_is_none(shop, flavour):
    """Status, type and length are right; a strict decoder must refuse the body."""
    await put(shop("catalog"), {"kind": "garbage", "flavour": flavour})
    answer = await shop("catalog").get("/products/42")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["content-length"] == str(len(answer.content))
    with pytest.raises((msgspec.DecodeError, RecursionError, UnicodeDecodeError)):
        msgspec.json.decode(answer.content)


async def test_garbage_of_another_shape_is_json_all_the_same(shop):
    """Only a typed decoder notices."""
    await put(shop("catalog"), {"kind": "garbage", "flavour": "shape"})
    answer = await shop("catalog").get("/products/42")

    assert isinstance(answer.json(), list)


async def test_a_gzip_bomb_grows_a_thousandfold(shop):
    """Few bytes on the wire, many in memory, and JSON in the end."""
    await put(shop("catalog"), {"kind": "gzip_bomb", "decoded_bytes": 4_000_000})
    async with shop("catalog").stream("GET", "/products/42") as answer:
        wire = b"".join([part async for part in answer.aiter_raw()])

    decoded = gzip.decompress(wire)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(decoded) == 4_000_000
    assert len(wire) < 8_000
    assert msgspec.json.decode(decoded).isspace()


async def test_an_oversized_body_has_the_requested_size(shop):
    """Plain JSON, without a length."""
    await put(shop("catalog"), {"kind": "oversized", "bytes": 1_000_001})
    answer = await shop("catalog").get("/products/42")

    assert len(answer.content) == 1_000_001
    assert "content-length" not in answer.headers
    assert answer.json().isspace()


async def test_the_first_of_several_faults_decides(shop):
    """Only the one that struck is counted."""
    catalog = shop("catalog")
    await put(catalog, {"kind": "error", "status": 418}, {"kind": "unavailable"})
    answer = await catalog.get("/products/42")
    found = (await catalog.get("/__faults__")).json()["faults"]

    assert answer.status_code == 418
    assert [(fault["calls"], fault["hits"]) for fault in found] == [(1, 1), (1, 0)]


async def test_a_write_whose_answer_was_lost_can_be_sent_again(shop):
    """The key finds the stored answer behind the fault."""
    payments = shop("payments")
    body = {
        "customer_id": "1",
        "amount": {"amount": 100, "currency": "EUR"},
        "payment_method_id": "pm-1-1",
    }
    key = {"idempotency-key": "k"}
    await put(payments, {"kind": "hang_mid_body", "times": 1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await payments.post("/charges", json=body, headers=key)

    again = await payments.post("/charges", json=body, headers=key)

    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
