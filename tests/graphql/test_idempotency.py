"""GraphQL and the `Idempotency-Key`: a mutation is done once, a query is executed again."""

import pytest

from bff_core.call import find_header
from bff_core.events import Crashed
from bff_core.testing.scripted import reply

KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
RENAME = 'mutation { rename(productId: "7", title: "A tent") { title } }'


async def test_a_mutation_is_done_once(shop):
    """The second answer is the first, though both are 200."""
    async with shop() as open_shop:
        answers = [await open_shop.ask(RENAME, KEYED) for _ in range(2)]
        puts = [one for one in open_shop.scripts["catalog"].calls if one.method == "PUT"]

    assert len(puts) == 1
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_a_query_takes_no_notice_of_a_key(shop):
    """A client that sends one with everything reads what is there now, in any body."""
    async with shop() as open_shop:
        first = await open_shop.ask('{ product(id: "7") { title } }', KEYED)
        again = await open_shop.ask('{ product(id: "7") { title } }', KEYED)
        other = await open_shop.ask('{ product(id: "7") { reviews } }', KEYED)

    assert first.json() == again.json()
    assert "idempotency-replayed" not in again.headers
    assert other.json()["data"]["product"]["reviews"] == ["good", "dry"]


async def test_a_mutation_that_may_have_happened_is_not_frozen(shop):
    """Its answer is a 200 with an error in it; the next try finds out."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(503), reply(200, {"id": "7", "title": "A tent"}))
        failed = await open_shop.ask(RENAME, KEYED)
        again = await open_shop.ask(RENAME, KEYED)

    assert failed.json()["errors"][0]["extensions"]["status"] == 503
    assert again.json() == {
        "data": {"rename": {"title": "A tent"}},
        "extensions": again.json()["extensions"],
    }
    assert "idempotency-replayed" not in again.headers


async def test_a_mutation_that_was_refused_is_refused_again(shop):
    """What the service decided stands."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(409), reply(200, {"id": "7", "title": "A tent"}))
        answers = [await open_shop.ask(RENAME, KEYED) for _ in range(2)]

    assert [answer.json()["errors"][0]["extensions"]["status"] for answer in answers] == [409, 409]
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_what_is_only_shown_does_not_open_a_change_again(shop):
    """The title was changed; that its rating is unavailable is no reason to change it again."""
    query = 'mutation { rename(productId: "7", title: "A tent") { rating } }'
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(reply(503))
        answers = [await open_shop.ask(query, KEYED) for _ in range(2)]
        puts = [one for one in open_shop.scripts["catalog"].calls if one.method == "PUT"]

    assert answers[0].json()["errors"][0]["path"] == ["rename", "rating"]
    assert len(puts) == 1


@pytest.mark.parametrize("query", ["mutation {", "mutation { nonsense }", "{ nonsense }"])
async def test_what_was_not_executed_leaves_the_key_free(shop, query):
    """A typing error costs no key."""
    async with shop() as open_shop:
        refused = await open_shop.ask(query, KEYED)
        mended = await open_shop.ask(RENAME, KEYED)

    assert "errors" in refused.json()
    assert mended.json()["data"] == {"rename": {"title": "A green tent"}}


async def test_each_field_of_a_mutation_has_keys_of_its_own(shop):
    """What one of them failed to write the first time moves the key of no other."""
    query = 'mutation { a: note(productId: "7", text: "1") b: note(productId: "7", text: "2") }'
    product, done = reply(200, {"id": "7", "title": "A green tent"}), reply(204)
    async with shop() as open_shop:
        catalog = open_shop.scripts["catalog"]
        catalog.then(reply(503), product, done, product, done, product, done)
        first = await open_shop.ask(query, KEYED)
        second = await open_shop.ask(query, KEYED)
        posts = [call for call in catalog.calls if call.method == "POST"]
        keys = [find_header(call.headers, b"idempotency-key") for call in posts]

    assert [answer.json()["data"] for answer in (first, second)] == [
        {"a": None, "b": True},
        {"a": True, "b": True},
    ]
    assert [call.body for call in posts] == [b'"2"', b'"1"', b'"2"']
    assert keys[0] == keys[2] != keys[1]


NAMED = "mutation M($id: ID!, $title: String!) { rename(productId: $id, title: $title) { title } }"


@pytest.mark.parametrize("variables", [{}, {"id": None, "title": "A"}, {"id": "7", "title": 5}])
async def test_a_reused_key_with_variables_that_do_not_fit_is_no_crash(shop, variables):
    """What is wrong with the variables is the answer, as it is without a key."""
    async with shop() as open_shop:
        await open_shop.ask(NAMED, KEYED, id="7", title="A tent")
        reused = await open_shop.ask(NAMED, KEYED, **variables)
        keyless = await open_shop.ask(NAMED, **variables)

    assert reused.status_code == 200
    assert reused.json() == keyless.json()
    assert "has invalid value" in reused.json()["errors"][0]["message"]
    assert not [event for event in open_shop.heard if isinstance(event, Crashed)]
