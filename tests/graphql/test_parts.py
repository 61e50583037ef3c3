"""Partial answers: states of parts, errors for nulls, compositions that end with the request."""

import asyncio

import pytest

from bff_core.testing.scripted import fail, hang, reply


async def test_parts_are_reported(shop):
    """Extensions and header report how each part ended."""
    async with shop() as open_shop:
        answer = await open_shop.ask('{ product(id: "7") { title reviews } }')

    assert answer.json()["extensions"]["parts"] == {
        "product": {"status": "ok"},
        "reviews": {"status": "ok"},
    }
    assert answer.headers["part-status"] == "product=ok, reviews=ok"
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_field_that_is_not_selected_causes_no_call(shop):
    """Only the parts of selected fields run."""
    async with shop() as open_shop:
        await open_shop.ask('{ product(id: "7") { id reviews } }')

    assert open_shop.scripts["catalog"].calls == []
    assert len(open_shop.scripts["reviews"].calls) == 1


async def test_fields_share_a_composition(shop):
    """Two fields, and two selections of one product, cost one call."""
    async with shop() as open_shop:
        await open_shop.ask(
            '{ a: product(id: "7") { title maybeTitle } b: product(id: "7") { title } }'
        )

    assert len(open_shop.scripts["catalog"].calls) == 1


async def test_list_items_are_batched(shop):
    """The items of a list load their values with one call."""
    async with shop() as open_shop:
        answer = await open_shop.ask('{ products(ids: ["7", "8", "7"]) { count } }')

    assert [one["count"] for one in answer.json()["data"]["products"]] == [3, 0, 3]
    assert [call.target for call in open_shop.scripts["stock"].calls] == ["/stock?ids=7%2C8"]


async def test_fallback_is_reported_without_an_error(shop):
    """The field has the fallback, the part is reported, and the answer is `no-store`."""
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(reply(500))

        answer = await open_shop.ask('{ product(id: "7") { title reviews } }')

    assert answer.json()["data"] == {"product": {"title": "A green tent", "reviews": []}}
    assert "errors" not in answer.json()
    assert answer.json()["extensions"]["parts"]["reviews"] == {
        "status": "fallback",
        "reason": "bad_status",
    }
    assert answer.headers["part-status"] == "product=ok, reviews=fallback;reason=bad_status"
    assert answer.headers["cache-control"] == "no-store"


async def test_null_of_a_failed_part_is_an_error(shop):
    """A client can distinguish "no rating" from "ratings are down", which has an error."""
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(fail())

        answer = await open_shop.ask('{ product(id: "7") { title rating } }')

    assert answer.json()["data"] == {"product": {"title": "A green tent", "rating": None}}
    assert answer.json()["errors"] == [
        {
            "message": "Not available right now",
            "locations": [{"line": 1, "column": 28}],
            "path": ["product", "rating"],
            "extensions": {"code": "unavailable", "status": 503, "part": "rating"},
        }
    ]
    assert answer.json()["extensions"]["parts"]["rating"]["status"] == "missing"


async def test_null_because_of_an_awaited_part_is_an_error(shop):
    """If a part yields nothing because another failed, the error names the other."""
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(fail())

        answer = await open_shop.ask('{ product(id: "7") { stars } }')

    (error,) = answer.json()["errors"]
    assert error["path"] == ["product", "stars"]
    assert error["extensions"] == {"code": "unavailable", "status": 503, "part": "rating"}


async def test_null_of_a_thing_that_does_not_exist_is_no_error(shop):
    """A part that is "not found" is null, reported as missing, and no error."""
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(reply(404))

        answer = await open_shop.ask('{ product(id: "7") { rating } }')

    assert answer.json()["data"] == {"product": {"rating": None}}
    assert "errors" not in answer.json()
    assert answer.json()["extensions"]["parts"]["rating"] == {
        "status": "missing",
        "reason": "not_found",
    }


async def test_null_of_a_failed_batch_is_an_error_at_each_item(shop):
    """Each item of the list has an error."""
    async with shop() as open_shop:
        open_shop.scripts["stock"].then(fail())

        answer = await open_shop.ask('{ products(ids: ["7", "8"]) { count } }')

    errors = answer.json()["errors"]
    assert [one["path"] for one in errors] == [["products", 0, "count"], ["products", 1, "count"]]
    assert {one["extensions"]["code"] for one in errors} == {"unavailable"}


async def test_null_of_an_unknown_key_is_no_error(shop):
    """If a batch has no value for a key, there is none."""
    async with shop() as open_shop:
        answer = await open_shop.ask('{ product(id: "99") { count } }')

    assert answer.json()["data"] == {"product": {"count": None}}
    assert "errors" not in answer.json()


async def test_worst_state_of_a_shared_name_is_reported(shop):
    """If one of several products has no reviews, reviews are reported as degraded."""
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(reply(200, ["good"]), fail())

        answer = await open_shop.ask('{ products(ids: ["7", "8"]) { reviews } }')

    assert answer.json()["extensions"]["parts"] == {
        "reviews": {"status": "fallback", "reason": "unavailable"}
    }


async def test_critical_part_fails_its_field(shop):
    """The error has the path, the stable code and the part; all other fields have values."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(500))

        answer = await open_shop.ask('{ product(id: "7") { maybeTitle reviews } }')

    assert answer.json()["data"] == {"product": {"maybeTitle": None, "reviews": ["good", "dry"]}}
    (error,) = answer.json()["errors"]
    assert error["path"] == ["product", "maybeTitle"]
    assert error["extensions"] == {"code": "bad_status", "status": 502, "part": "product"}
    assert answer.json()["extensions"]["parts"]["product"] == {
        "status": "missing",
        "reason": "bad_status",
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.virtual_time
async def test_failure_cancels_running_calls(shop):
    """If a non-null field fails, the answer is sent at once, and open calls are cancelled."""
    loop = asyncio.get_running_loop()
    async with shop(clock=loop.time) as open_shop:
        open_shop.scripts["catalog"].then(reply(500))
        open_shop.scripts["reviews"].then(hang())
        began = loop.time()

        answer = await open_shop.ask('{ product(id: "7") { title rating } }')

    assert answer.json()["data"] is None
    assert loop.time() - began < 1
    assert open_shop.scripts["reviews"].in_flight == 0


@pytest.mark.virtual_time
async def test_slow_optional_part_degrades_before_the_request_ends(shop):
    """A hanging service costs the client its field, not its answer."""
    loop = asyncio.get_running_loop()
    async with shop(clock=loop.time) as open_shop:
        open_shop.scripts["reviews"].then(hang())

        answer = await open_shop.ask(
            '{ product(id: "7") { title reviews } }', {"request-timeout": "2"}
        )

    assert answer.json()["data"]["product"] == {"title": "A green tent", "reviews": []}
    assert answer.json()["extensions"]["parts"]["reviews"]["reason"] == "timeout"


def hang_after(called):
    """Return a step that records the call and never answers."""
    never = hang()

    async def step(call):
        called.set()
        return await never(call)

    return step


async def test_disconnect_cancels_calls(shop):
    """No call goes on for an answer that is not read."""
    async with shop() as open_shop:
        called = asyncio.Event()
        open_shop.scripts["reviews"].then(hang_after(called))
        asking = asyncio.ensure_future(open_shop.ask('{ product(id: "7") { reviews } }'))
        await called.wait()

        asking.cancel()
        await asyncio.wait([asking])

    assert open_shop.scripts["reviews"].cancelled == 1


async def test_each_mutation_is_executed(shop):
    """The same change twice is two writes, in order; each answer has the state after it."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(
            reply(200, {"id": "7", "title": "x"}),
            reply(200, {"id": "7", "title": "x"}),
            reply(200, {"id": "7", "title": "x"}),
            reply(200, {"id": "7", "title": "y"}),
        )

        answer = await open_shop.ask(
            'mutation { a: rename(productId: "7", title: "x") { title } '
            'b: rename(productId: "7", title: "x") { title } }'
        )

    assert answer.json()["data"] == {"a": {"title": "x"}, "b": {"title": "y"}}
    assert [call.method for call in open_shop.scripts["catalog"].calls] == [
        "PUT",
        "GET",
        "PUT",
        "GET",
    ]


async def test_viewer_reaches_parts_as_in_rest(shop):
    """The authenticated viewer is injected into the composition."""
    async with shop() as open_shop:
        answer = await open_shop.ask(
            '{ product(id: "7") { greeting } }', {"authorization": "Bearer demo-1"}
        )

    assert answer.json()["data"] == {"product": {"greeting": "Hello, 1"}}
