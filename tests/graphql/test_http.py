"""GraphQL over HTTP: requests, media types and status codes."""

import json
from collections.abc import AsyncGenerator

import pytest
import strawberry
from graph_shop import Query

BOTH_LANES = pytest.mark.parametrize("lane", ["fast", "FastAPI's"])
QUERY = '{ product(id: "7") { title } }'
RESPONSE = {"accept": "application/graphql-response+json"}


def use(lane, shop):
    """Turn the fast path off for tests of FastAPI's routing."""
    if lane != "fast":
        shop.app.dependency_overrides[object] = object


@BOTH_LANES
async def test_query_is_answered_by_post(shop, lane):
    """A client gets the fields that it selected, and no others."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.ask(QUERY)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"product": {"title": "A green tent"}}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@BOTH_LANES
async def test_query_is_answered_by_get(shop, lane):
    """A link may contain a query, variables and an operation name."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get(
            "/graphql",
            params={
                "query": 'query A($n: Int!) { product(id: "7") { twice(number: $n) } } '
                "query B { language }",
                "variables": json.dumps({"n": 21}),
                "operationName": "A",
            },
        )

    assert answer.json()["data"] == {"product": {"twice": 42}}


@BOTH_LANES
async def test_mutation_by_get_is_refused(shop, lane):
    """The answer is 405, and the service is not called."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.get(
            "/graphql", params={"query": 'mutation { rename(productId: "7", title: "x") { id } }'}
        )

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["code"] == "method_not_allowed"
    assert open_shop.scripts["catalog"].calls == []


@BOTH_LANES
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(shop, lane, method):
    """Only GET and POST are served."""
    async with shop() as open_shop:
        use(lane, open_shop)

        answer = await open_shop.client.request(method, "/graphql", json={"query": QUERY})

    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("accept", "content_type", "status"),
    [
        ("application/graphql-response+json", "application/graphql-response+json", 400),
        ("application/graphql-response+json, */*;q=0.1", "application/graphql-response+json", 400),
        ("application/json", "application/json", 200),
        ("*/*", "application/json", 200),
        ("text/html, application/*;q=0.8", "application/json", 200),
        (
            "application/graphql-response+json;q=0.5, application/json;q=0.9",
            "application/json",
            200,
        ),
        (
            "application/json;q=0.9, application/graphql-response+json",
            "application/graphql-response+json",
            400,
        ),
        ("application/json, application/graphql-response+json", "application/json", 200),
        (
            "application/graphql-response+json, application/json",
            "application/graphql-response+json",
            400,
        ),
        ("application/graphql-response+json;q=0, */*", "application/json", 200),
        ("application/json;q=0, */*;q=0.1", "application/graphql-response+json", 400),
        ('text/html;x="a, application/json", */*;Q=0.1', "application/json", 200),
        ("", "application/graphql-response+json", 400),
    ],
)
async def test_status_of_a_refusal_depends_on_the_media_type(shop, accept, content_type, status):
    """A refused query is a 4xx if the client accepts GraphQL's media type, else 200."""
    async with shop() as open_shop:
        answer = await open_shop.ask("{ nope }", {"accept": accept})

    assert answer.status_code == status
    assert answer.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert "data" not in answer.json()
    assert "Accept" in answer.headers["vary"]


async def test_client_without_accept_gets_the_media_type_of_graphql(shop):
    """Since 2025 a client without `Accept` is assumed to know the new media type."""
    async with shop() as open_shop:
        del open_shop.client.headers["accept"]

        answer = await open_shop.ask(QUERY)

    assert answer.headers["content-type"].startswith("application/graphql-response+json")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "*/*;q=0", "application/json;q=high", "*/*;q=7"]
)
async def test_client_that_accepts_no_json_gets_406(shop, accept):
    """The 406 names the media types that there are."""
    async with shop() as open_shop:
        answer = await open_shop.ask(QUERY, {"accept": accept})

    assert answer.status_code == 406
    assert "application/json" in answer.json()["detail"]


async def test_failed_field_does_not_fail_the_request(shop):
    """An executed query is a 200 with GraphQL's media type as well, whatever its fields did."""
    async with shop() as open_shop:
        answer = await open_shop.ask('{ product(id: "7") { broken } }', RESPONSE)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"product": {"broken": None}}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
        "",
    ],
)
async def test_body_that_a_form_could_send_is_refused(shop, content_type):
    """Only JSON is accepted; a form of another site can't send it without a preflight request."""
    async with shop() as open_shop:
        answer = await open_shop.client.post(
            "/graphql",
            content=json.dumps({"query": QUERY}),
            headers={"content-type": content_type},
        )

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert open_shop.scripts["catalog"].calls == []


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
async def test_json_is_recognised_however_it_is_written(shop, content_type):
    """Case and a UTF-8 charset make no difference."""
    async with shop() as open_shop:
        answer = await open_shop.client.post(
            "/graphql",
            content=json.dumps({"query": QUERY}),
            headers={"content-type": content_type},
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"query": "\xff"}',
        b"[]",
        b'[{"query": "{ language }"}]',
        b"{}",
        b'{"query": 7}',
        b'{"query": "{ language }", "variables": []}',
        b'{"query": "{ language }", "operationName": 1}',
        b'{"query": "{ language }", "extensions": "x"}',
        b'{"query": null}',
        b'{"query": null, "extensions": {"persistedQuery": null}}',
        b'{"extensions": {}}',
        b'{"query": "{ language }", "variables": {"a": ' + b'{"a":' * 50_000,
    ],
)
async def test_body_without_a_query_is_a_problem(shop, body):
    """A body that is no GraphQL request, or is a batch, is a 400 with problem details."""
    async with shop() as open_shop:
        answer = await open_shop.client.post(
            "/graphql", content=body, headers={"content-type": "application/json"}
        )

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "variables={}",
        "query={language}&variables=[]",
        "query={language}&variables={",
        "query=%ff",
        "query={language}&extensions=[]",
        "extensions={}",
    ],
)
async def test_link_without_a_query_is_a_problem(shop, query):
    """A GET without a query, or with variables that are not an object, is a 400."""
    async with shop() as open_shop:
        answer = await open_shop.client.get(f"/graphql?{query}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"


HASH = {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}


@BOTH_LANES
@pytest.mark.parametrize("accept", ["application/json", RESPONSE["accept"], "*/*"])
async def test_persisted_query_is_not_supported(shop, lane, accept):
    """Clients then send the query instead of its hash; they expect the error with status 200."""
    async with shop() as open_shop:
        use(lane, open_shop)
        headers = {"accept": accept}

        posted = await open_shop.client.post(
            "/graphql",
            json={"operationName": "Q", "variables": {}, "extensions": HASH},
            headers=headers,
        )
        got = await open_shop.client.get(
            "/graphql", params={"extensions": json.dumps(HASH)}, headers=headers
        )

    for answer in (posted, got):
        assert answer.status_code == 200
        assert "no-store" in answer.headers["cache-control"]
        assert answer.json() == {
            "errors": [
                {
                    "message": "PersistedQueryNotSupported",
                    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED", "status": 200},
                }
            ]
        }


async def test_query_with_its_hash_is_executed(shop):
    """No query is stored, so the hash is not compared with the query."""
    async with shop() as open_shop:
        posted = await open_shop.client.post("/graphql", json={"query": QUERY, "extensions": HASH})
        got = await open_shop.client.get(
            "/graphql", params={"query": QUERY, "extensions": json.dumps(HASH)}
        )

    assert posted.json()["data"] == got.json()["data"] == {"product": {"title": "A green tent"}}


async def test_operation_must_be_unambiguous(shop):
    """A request with several operations must name one of them."""
    async with shop() as open_shop:
        query = "query A { language } query B { language }"

        unnamed = await open_shop.ask(query, RESPONSE)
        unknown = await open_shop.client.post(
            "/graphql", json={"query": query, "operationName": "C"}, headers=RESPONSE
        )

    assert [unnamed.status_code, unknown.status_code] == [400, 400]
    assert unnamed.json()["errors"][0]["extensions"]["code"] == "operation_not_found"
    assert unknown.json()["errors"][0]["extensions"]["code"] == "operation_not_found"


@strawberry.type
class Subscription:
    """Subscriptions."""

    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        yield 1


async def test_subscription_is_not_served(shop):
    """A schema may have subscriptions, but they are refused over plain HTTP."""
    schema = strawberry.Schema(Query, subscription=Subscription)

    async with shop(schema=schema) as open_shop:
        answer = await open_shop.ask("subscription { ticks }", RESPONSE)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "subscription_not_served"


async def test_request_headers_that_were_read_are_in_vary(shop):
    """`Vary` lists the headers that an answer depends on."""
    async with shop() as open_shop:
        answer = await open_shop.ask("{ language }", {"accept-language": "de"})

    assert answer.json()["data"] == {"language": "de"}
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize("number", [True, False, [True], "1"])
async def test_a_boolean_is_no_number(shop, number):
    """As in bodies of REST, it is refused as a variable and as a literal."""
    ask = "query($n: Int!) { product(id: 7) { twice(number: $n) } }"
    written = f"{{ product(id: 7) {{ twice(number: {json.dumps(number)}) }} }}"
    async with shop() as open_shop:
        answers = [await open_shop.ask(ask, n=number), await open_shop.ask(written)]

    for answer in answers:
        result = answer.json()
        assert "Int cannot represent" in result["errors"][0]["message"]
        assert not result.get("data")
