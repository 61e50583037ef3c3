"""`Idempotency-Key` in GraphQL: a mutation is executed once, a query each time."""

import pytest
import strawberry
from graph_shop import Mutation
from graph_shop import Query as ShopQuery

from bff_core import ANYONE, access
from bff_core.call import find_header
from bff_core.events import Crashed
from bff_core.testing.scripted import reply

KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
RENAME = 'mutation { rename(productId: "7", title: "A tent") { title } }'


async def test_a_mutation_is_executed_once(shop):
    """The second request gets the answer of the first."""
    async with shop() as open_shop:
        answers = [await open_shop.ask(RENAME, KEYED) for _ in range(2)]
        puts = [one for one in open_shop.scripts["catalog"].calls if one.method == "PUT"]

    assert len(puts) == 1
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_a_query_ignores_the_key(shop):
    """A client that sends a key with each request reads current data."""
    async with shop() as open_shop:
        first = await open_shop.ask('{ product(id: "7") { title } }', KEYED)
        again = await open_shop.ask('{ product(id: "7") { title } }', KEYED)
        other = await open_shop.ask('{ product(id: "7") { reviews } }', KEYED)

    assert first.json() == again.json()
    assert "idempotency-replayed" not in again.headers
    assert other.json()["data"]["product"]["reviews"] == ["good", "dry"]


async def test_a_mutation_with_unknown_outcome_may_be_retried(shop):
    """Its answer is a 200 with an error, and is not stored under the key."""
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


async def test_a_refused_mutation_is_refused_again(shop):
    """The refusal of the service is the stored answer."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(409), reply(200, {"id": "7", "title": "A tent"}))
        answers = [await open_shop.ask(RENAME, KEYED) for _ in range(2)]

    assert [answer.json()["errors"][0]["extensions"]["status"] for answer in answers] == [409, 409]
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_a_failed_field_below_a_mutation_does_not_repeat_it(shop):
    """The title was changed; an unavailable rating is no reason to change it again."""
    query = 'mutation { rename(productId: "7", title: "A tent") { rating } }'
    async with shop() as open_shop:
        open_shop.scripts["reviews"].then(reply(503))
        answers = [await open_shop.ask(query, KEYED) for _ in range(2)]
        puts = [one for one in open_shop.scripts["catalog"].calls if one.method == "PUT"]

    assert answers[0].json()["errors"][0]["path"] == ["rename", "rating"]
    assert len(puts) == 1


@pytest.mark.parametrize("query", ["mutation {", "mutation { nonsense }", "{ nonsense }"])
async def test_a_request_that_was_not_executed_does_not_use_the_key(shop, query):
    """The key may be sent again with a correct query."""
    async with shop() as open_shop:
        refused = await open_shop.ask(query, KEYED)
        mended = await open_shop.ask(RENAME, KEYED)

    assert "errors" in refused.json()
    assert mended.json()["data"] == {"rename": {"title": "A green tent"}}


async def test_each_field_of_a_mutation_has_keys_of_its_own(shop):
    """A failed write of one field does not change the keys of the others."""
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
    """The answer is the error of the variables, as without a key."""
    async with shop() as open_shop:
        await open_shop.ask(NAMED, KEYED, id="7", title="A tent")
        reused = await open_shop.ask(NAMED, KEYED, **variables)
        keyless = await open_shop.ask(NAMED, **variables)

    assert reused.status_code == 200
    assert reused.json() == keyless.json()
    assert "has invalid value" in reused.json()["errors"][0]["message"]
    assert not [event for event in open_shop.heard if isinstance(event, Crashed)]


@strawberry.type
class Products(Mutation):
    """The changes in a namespace."""


@access(ANYONE)
@strawberry.type
class WithNamespace:
    """A mutation whose changes are all in a namespace."""

    @strawberry.field
    def products(self) -> Products:
        return Products()


async def test_a_key_works_the_same_for_changes_in_a_namespace(shop):
    """A failed one is executed again under the key that it had, and below it nothing is."""
    query = """mutation { products {
        a: note(productId: "7", text: "1") b: note(productId: "7", text: "2") } }"""
    product, done = reply(200, {"id": "7", "title": "A green tent"}), reply(204)
    async with shop(schema=strawberry.Schema(ShopQuery, WithNamespace)) as open_shop:
        catalog = open_shop.scripts["catalog"]
        catalog.then(product, reply(503), product, done, product, done, product, done)
        answers = [await open_shop.ask(query, KEYED) for _ in range(3)]
        posts = [call for call in catalog.calls if call.method == "POST"]
        keys = [find_header(call.headers, b"idempotency-key") for call in posts]

    assert [answer.json()["data"]["products"] for answer in answers] == [
        {"a": None, "b": True},
        {"a": True, "b": True},
        {"a": True, "b": True},
    ]
    assert [call.body for call in posts] == [b'"1"', b'"2"'] * 2
    assert (keys[0], keys[1]) == (keys[2], keys[3])
    assert keys[0] != keys[1]
    assert answers[2].headers["idempotency-replayed"] == "true"


async def test_a_failed_answer_in_a_namespace_does_not_repeat_the_change(shop):
    """As below a field of the mutation itself."""
    query = 'mutation { products { rename(productId: "7", title: "A tent") { rating } } }'
    async with shop(schema=strawberry.Schema(ShopQuery, WithNamespace)) as open_shop:
        open_shop.scripts["reviews"].then(reply(503))
        answers = [await open_shop.ask(query, KEYED) for _ in range(2)]
        puts = [one for one in open_shop.scripts["catalog"].calls if one.method == "PUT"]

    assert answers[0].json()["errors"][0]["path"] == ["products", "rename", "rating"]
    assert len(puts) == 1
