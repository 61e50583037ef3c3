"""Calls of GraphQL services: a query is a read, a mutation is a write, errors are errors."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

import pytest
from msgspec import UNSET

from bff_core import (
    BadPayload,
    BadStatus,
    Breaker,
    Cache,
    CircuitOpen,
    ConfigurationError,
    FilePart,
    GraphQLFailed,
    GraphQLUpstream,
    Hedge,
    NotFound,
    Policy,
    Reply,
    ResponseCache,
    TransportFailed,
    TypedReply,
)
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.events import Events, ReplyReduced, Retried
from bff_core.parameter_values import UnsupportedValue
from bff_core.scope import StepTry
from bff_core.testing.asgi import asgi
from bff_core.testing.scripted import fail, hang, reply
from bff_core.upstream.reading.reply_type_checks import check_reply_types
from tests.upstream.graphql_service import (
    PRODUCT,
    RENAME,
    SERVICE,
    Catalog,
    Client,
    ProductModel,
    ProductResult,
)

pytestmark = pytest.mark.virtual_time

LIVE = asgi(SERVICE)
SEVEN = {"product": {"id": "7", "title": "Product 7", "price": 100}}
FOUND = reply(200, {"data": SEVEN})
RENAMED = reply(200, {"data": {"rename": {"id": "7", "title": "New"}}})


def failed(*codes: str, data: object = None, status: int = 200, **extensions: object):
    """Answer with errors that have codes, and with data."""
    errors = [
        {"message": "no", "path": ["product"], "extensions": {"code": code, **extensions}}
        for code in codes
    ]
    return reply(status, {"data": data, "errors": errors})


async def test_a_query_returns_its_data_as_the_declared_type():
    """A service written with Strawberry gets the document, the name and the variables."""
    client = Client(LIVE)

    assert await client.bound().product("7") == ProductModel("7", "Product 7", 100)
    [call] = client.script.calls
    assert (call.method, call.target, call.operation) == ("POST", "/graphql", "query Product")
    assert json.loads(call.body) == {
        "operationName": "Product",
        "query": PRODUCT,
        "variables": {"id": "7"},
    }
    assert (b"content-type", b"application/json") in call.headers
    accept = b"application/graphql-response+json, application/json"
    assert (b"accept", accept) in call.headers


async def test_a_mutation_returns_its_data():
    """A mutation changes something at the service, and its result is typed."""
    client = Client(LIVE)

    assert await client.bound().rename("7", "New") == ProductModel("7", "New")
    assert client.script.calls[0].operation == "mutation Rename"


async def test_a_variable_that_is_unset_is_left_out():
    """The default of the document holds for a variable that the caller does not set."""
    client = Client(LIVE)
    service = client.bound()

    variables = {"id": "7", "currency": UNSET}
    found = await service.query(PRODUCT, ProductResult, variables=variables)
    other = await service.query(PRODUCT, ProductResult, variables={**variables, "currency": "USD"})

    assert (found.product.price, other.product.price) == (100, 110)


async def test_variables_are_encoded_as_json():
    """Dates, decimals and dataclasses are variables as they are bodies."""
    client = Client(FOUND)

    variables = {"id": Decimal("1.50"), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    await client.bound().query(PRODUCT, ProductResult, variables=variables)

    sent = json.loads(client.script.calls[0].body)["variables"]
    assert sent == {"id": "1.50", "at": "2026-01-02T00:00:00Z"}


async def test_a_file_is_no_variable():
    """Who wants to upload a file learns that multipart requests are not supported."""
    with pytest.raises(UnsupportedValue, match="multipart requests of GraphQL are not supported"):
        await Client(FOUND).bound().product(FilePart("a.png", b"png"))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{ product { id } }", "without a name"),
        ("query { product { id } }", "without a name"),
        ("query A { a } query B { b }", "has 2 operations"),
        ("fragment F on Product { id }", "has no operations"),
        ('mutation Rename { rename(id: "7", title: "query Product {") { id } }', "self.mutate"),
        ("subscription Prices { price }", "is a subscription"),
        ("type Product { id: ID }", "neither query nor mutation"),
    ],
)
async def test_a_document_has_one_named_query(document, why):
    """A document that can't be sent is refused, and the message says what to write."""
    with pytest.raises(ConfigurationError, match=why):
        await Client(FOUND).bound().query(document, ProductResult)


@pytest.mark.parametrize(
    "document",
    [
        "# query Old {\nquery Product($filter: F = {a: [1]}) @cached(ttl: 1) { product { id } }",
        'fragment P on Product @x { id(text: "}") }\nquery Product { product { ...P } }',
        'query Product { product(text: """a } "quoted" \\""" { """) { id } }',
    ],
)
async def test_a_name_is_found_behind_text_and_fragments(document):
    """Braces in strings and comments do not confuse what an operation is called."""
    client = Client(FOUND)

    await client.bound().query(document, ProductResult)

    assert client.script.calls[0].operation == "query Product"


@pytest.mark.parametrize(
    ("code", "status", "client_gets"),
    [
        ("UNAUTHENTICATED", 401, 502),
        ("FORBIDDEN", 403, 502),
        ("NOT_FOUND", 404, 404),
        ("BAD_USER_INPUT", 422, 422),
        ("CONFLICT", 409, 409),
        ("GRAPHQL_VALIDATION_FAILED", 400, 502),
        ("RATE_LIMITED", 429, 503),
        ("INTERNAL_SERVER_ERROR", 500, 502),
        ("SERVICE_UNAVAILABLE", 503, 503),
        ("TIMEOUT", 504, 504),
        ("OUT_OF_STOCK", 500, 502),
    ],
)
async def test_a_code_stands_for_a_status(code, status, client_gets):
    """An error without data is the error that an HTTP API would have answered with."""
    client = Client(failed(code), policy=Policy(retry=None))

    with pytest.raises(GraphQLFailed) as failure:
        await client.bound().product("7")

    assert failure.value.codes == (code,)
    assert failure.value.status == client_gets
    assert failure.value.reply.status == status


async def test_an_error_of_a_resolver_has_its_code_in_the_log_and_no_content():
    """The log has the code and the place; the text of the service may be about a person."""
    with pytest.raises(GraphQLFailed) as failure:
        await Client(LIVE).bound().product("FORBIDDEN")

    assert str(failure.value) == (
        "catalog: query Product: answered with errors: FORBIDDEN at product"
    )
    assert failure.value.errors[0].message == "because of Ada's data"


async def test_a_client_gets_the_text_of_an_error_about_its_input():
    """What the service says of a client's input reaches the client, as the detail."""
    with pytest.raises(GraphQLFailed) as failure:
        await Client(LIVE).bound().rename("7", "")

    assert (failure.value.status, failure.value.detail) == (422, "because of Ada's data")


async def test_an_invalid_document_shows_what_is_wrong():
    """A document that does not fit the service is the gateway's mistake: 502, with the reason."""
    document = "query Product { product(id: 7) { colour } }"

    with pytest.raises(GraphQLFailed, match="Cannot query field 'colour'") as failure:
        await Client(LIVE).bound().query(document, ProductResult)

    assert failure.value.status == 502


async def test_nothing_found_is_none():
    """NOT_FOUND at a field that may be null is an answer, as a 404 is: None."""
    client = Client(failed("NOT_FOUND", data={"product": None}))

    assert await client.bound().product("8") is None
    assert client.bench.events_of(ReplyReduced) == []


async def test_a_field_that_failed_is_none_and_the_reply_is_marked():
    """Prices are down: the product is shown without one, and monitoring learns of it."""
    client = Client(LIVE)

    assert await client.bound().product("13") == ProductModel("13", "Product 13", None)
    [event] = client.bench.events_of(ReplyReduced)
    assert event.lost == ("$.product.price: INTERNAL_SERVER_ERROR",)


async def test_a_field_that_failed_is_an_error_where_the_call_says_so():
    """A screen that needs the price gets an error."""
    with pytest.raises(GraphQLFailed):
        await Client(LIVE).bound().product("13", errors="raise")


async def test_a_class_decides_about_fields_that_fail():
    """A client whose screens need complete data declares so once."""

    class Complete(Catalog):
        field_errors = "raise"

    with pytest.raises(GraphQLFailed):
        await Client(LIVE, kind=Complete).bound().product("13")


@pytest.mark.parametrize(
    ("name", "value"),
    [("field_errors", "ignore"), ("queries_by", "PUT"), ("path", "graphql"), ("path", 7)],
)
def test_wrong_options_are_refused(name, value):
    """An option that is none is found when the class is made."""
    with pytest.raises(ConfigurationError, match=f"Wrong.{name} must be"):
        type("Wrong", (GraphQLUpstream,), {name: value})


async def test_a_check_of_a_saga_reads_completely():
    """A check that finds out whether a write happened does not trust half a response."""
    client = Client(LIVE)

    with pytest.raises(BadPayload, match="a check reads strictly"):
        await client.bound(step=StepTry(is_check=True)).product("13")


async def test_a_mutation_with_an_error_has_failed():
    """A mutation whose only field is null did nothing; other fields must not hide it."""
    data = {"rename": {"id": "7", "title": "New", "price": None}}
    client = Client(failed("INTERNAL_SERVER_ERROR", data=data))

    with pytest.raises(GraphQLFailed):
        await client.bound().rename("7", "New")
    assert await client.bound().rename("7", "New", errors="partial") == ProductModel("7", "New")


async def test_a_404_of_the_endpoint_is_no_missing_product():
    """A wrong address is a mistake of the gateway, which the client must not get as its 404."""
    with pytest.raises(BadStatus) as failure:
        await Client(reply(404, b"no such page")).bound().product("7")

    assert (failure.value.status, failure.value.reply.status) == (502, 404)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"data":', b'{"errors":[]}'])
async def test_what_is_no_response_is_refused(body):
    """A page of a proxy in place of a response is an error of the service."""
    with pytest.raises(BadPayload):
        await Client(reply(200, body)).bound().product("7")


async def test_data_that_does_not_fit_is_refused():
    """Data of another type than declared never reaches a screen."""
    with pytest.raises(BadPayload, match=r"missing required field `title` - at `\$\.product`"):
        await Client(reply(200, {"data": {"product": {"id": "7"}}})).bound().product("7")


async def test_errors_are_translated_by_the_class():
    """`fails_with` has the status that a code stands for."""

    def missing(_: Reply) -> NotFound:
        return NotFound("There is no such product.")

    class Shop(Catalog):
        fails_with: ClassVar = {404: missing}

    with pytest.raises(NotFound, match="no such product"):
        await Client(failed("NOT_FOUND"), kind=Shop).bound().product("7")


async def test_a_typed_reply_has_the_headers():
    """A caller that needs the service's headers declares TypedReply."""
    client = Client(reply(200, {"data": SEVEN}, headers={"x-cost": "3"}))

    found = await client.bound().query(PRODUCT, TypedReply[ProductResult], variables={"id": "7"})

    assert (found.value.product.id, found.headers["X-Cost"]) == ("7", "3")


async def test_a_query_is_sent_again_after_a_reset():
    """A query only reads, so a connection that broke costs a retry, not the screen."""
    client = Client(fail(), FOUND)

    assert (await client.bound().product("7")).id == "7"
    [retried] = client.bench.events_of(Retried)
    assert retried.operation == "query Product"


async def test_a_query_is_sent_again_after_an_error_of_the_service():
    """A status of 200 does not hide that the service failed."""
    client = Client(failed("INTERNAL_SERVER_ERROR"), FOUND)

    assert (await client.bound().product("7")).id == "7"


async def test_a_rate_limit_is_waited_for():
    """Seconds in the extensions of an error are a Retry-After."""
    client = Client(failed("RATE_LIMITED", retryAfter=0.5), FOUND)
    began = client.bench.now

    await client.bound().product("7")

    assert client.bench.now - began == pytest.approx(1.0)


async def test_the_cost_of_a_query_is_waited_for():
    """A service that limits the cost of queries says when there is enough again."""
    cost = {
        "requestedQueryCost": 30,
        "throttleStatus": {"currentlyAvailable": 10, "restoreRate": 10},
    }
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    throttled = reply(200, {"errors": [error], "extensions": {"cost": cost}})
    client = Client(throttled, FOUND)
    began = client.bench.now

    await client.bound().product("7")

    assert client.bench.now - began == pytest.approx(2.0)


@pytest.mark.parametrize("code", ["NOT_FOUND", "BAD_USER_INPUT", "OUT_OF_STOCK"])
async def test_a_valid_refusal_is_not_repeated(code):
    """What another attempt can't change is not sent twice."""
    client = Client(failed(code), FOUND)

    with pytest.raises(GraphQLFailed):
        await client.bound().product("7")

    assert len(client.script.calls) == 1


async def test_a_mutation_is_not_sent_again():
    """A lost mutation without a key may have happened: it is sent once."""
    client = Client(fail(), RENAMED)

    with pytest.raises(TransportFailed):
        await client.bound().rename("7", "New")

    assert len(client.script.calls) == 1


async def test_a_mutation_with_a_key_is_sent_again():
    """A service that supports keys gets the same key twice, and a name in it."""
    client = Client(fail(), RENAMED)

    await client.bound(idempotency_key="k").rename("7", "New")

    one, two = [dict(call.headers)[b"idempotency-key"] for call in client.script.calls]
    assert one == two


async def test_two_mutations_of_a_request_have_keys_of_their_own():
    """The keys of two operations do not depend on which was sent first."""

    async def keys(*, reverse: bool) -> dict[str, bytes]:
        client = Client(RENAMED)
        service = client.bound(idempotency_key="k")
        documents = [RENAME, RENAME.replace("Rename(", "Restore(")]
        for one in reversed(documents) if reverse else documents:
            await service.mutate(one, object, variables={"id": "7", "title": "New"})
        return {
            call.operation: dict(call.headers)[b"idempotency-key"] for call in client.script.calls
        }

    assert await keys(reverse=False) == await keys(reverse=True)


async def test_a_service_without_keys_gets_none():
    """With `keyed=False` a mutation has no key, and is sent once."""
    client = Client(fail(), RENAMED, policy=Policy(keyed=False))

    with pytest.raises(TransportFailed):
        await client.bound(idempotency_key="k").rename("7", "New")

    assert b"idempotency-key" not in dict(client.script.calls[0].headers)


def test_without_a_policy_mutations_have_no_keys():
    """Few GraphQL services support keys, so that a client without a policy assumes none."""

    class Plain(GraphQLUpstream):
        """A client that declares nothing."""

    assert not Plain.policy.keyed


async def test_a_query_never_has_a_key():
    """Keys differ between calls: with one, equal queries would not be the same call."""
    client = Client(FOUND)

    await client.bound(idempotency_key="k").product("7")

    assert b"idempotency-key" not in dict(client.script.calls[0].headers)


async def test_equal_queries_are_one_call():
    """Three screens of a viewer that need the same product at once cause one call."""
    client = Client(reply(200, {"data": SEVEN}, after=0.1))
    service = client.bound(audience="7")

    await asyncio.gather(*(service.product("7") for _ in range(3)), service.product("8"))

    assert len(client.script.calls) == 2


async def test_viewers_do_not_share_a_query():
    """What one viewer gets is never handed to another."""
    client = Client(reply(200, {"data": SEVEN}, after=0.1))

    await asyncio.gather(*(client.bound(audience=who).product("7") for who in ("7", "8")))

    assert len(client.script.calls) == 2


async def test_equal_mutations_are_two_calls():
    """Two changes are two changes, even if they look the same."""
    client = Client(reply(200, {"data": {"rename": None}}, after=0.1))
    service = client.bound(audience="7")

    await asyncio.gather(*(service.rename("7", "New") for _ in range(2)))

    assert len(client.script.calls) == 2


@pytest.mark.parametrize(("is_query", "calls"), [(True, 2), (False, 1)])
async def test_a_slow_query_is_hedged(is_query, calls):
    """A query that takes long is sent a second time; a mutation is not."""
    options = Hedge(minimum_calls=10, delay_max=0.2)
    client = Client(FOUND, policy=Policy(hedge=options, coalesce=False))
    service = client.bound()
    for _ in range(40):
        await service.product("7")
    for _ in range(0 if is_query else 40):
        client.script.then(RENAMED)
        await service.rename("7", "New")
    client.script.calls.clear()
    client.script.then(hang(), FOUND if is_query else RENAMED)

    pending = service.product("7") if is_query else service.rename("7", "New")
    try:
        await asyncio.wait_for(pending, 1.0)
    except TimeoutError:
        assert not is_query

    assert len(client.script.calls) == calls


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (failed("INTERNAL_SERVER_ERROR"), True),
        (failed("INTERNAL_SERVER_ERROR", data={"product": None}), True),
        (reply(200, {"data": None, "errors": [{"message": "boom"}]}), True),
        (failed("NOT_FOUND"), False),
        (failed("UNAUTHENTICATED"), False),
        (failed("OUT_OF_STOCK"), False),
        (reply(200, {"errors": [{"message": "Unknown type Colour"}]}), False),
        (failed("INTERNAL_SERVER_ERROR", data=SEVEN), False),
    ],
)
async def test_the_breaker_counts_what_is_the_fault_of_the_service(answer, opens):
    """A service that fails with status 200 opens its circuit; a client's mistake never does."""
    policy = Policy(retry=None, breaker=Breaker(minimum_calls=5, window=10))
    client = Client(answer, policy=policy)
    service = client.bound()
    for _ in range(8):
        await asyncio.gather(service.product("7"), return_exceptions=True)

    outcome = await asyncio.gather(service.product("7"), return_exceptions=True)

    assert isinstance(outcome[0], CircuitOpen) == opens


class ByGet(Catalog):
    """The same service, which allows queries by GET."""

    queries_by = "GET"
    policy = Policy(public=True, retry=None, cache=Cache(ttl=60, tags=("product:{id}",)))


def cached(*steps) -> Client:
    """Return a client with a cache."""
    events = Events()
    clock = asyncio.get_running_loop().time
    store = MemoryCacheStore(size=1_000_000, clock=clock, events=events)
    return Client(*steps, kind=ByGet, cache=ResponseCache(store, events))


async def test_a_query_by_get_is_cached():
    """With GET a query is a request that caches understand: two readers, one call."""
    client = cached(LIVE)

    first, again = await client.bound().product("7"), await client.bound().product("7")

    assert first == again == ProductModel("7", "Product 7", 100)
    [call] = client.script.calls
    assert call.method == "GET"
    assert call.target.startswith("/graphql?operationName=Product&query=")
    assert call.body == b""


async def test_a_mutation_purges_the_tags_that_it_names():
    """A reader gets the new state after a mutation, by the tag of the product."""
    client = cached(LIVE)

    await client.bound().product("7")
    await client.bound().rename("7", "New", purges=("product:{id}",))
    await client.bound().product("7")
    await client.bound().product("7")

    assert [call.method for call in client.script.calls] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("number", ["13", "FORBIDDEN", "BAD_USER_INPUT"])
async def test_a_reply_with_errors_is_not_cached(number):
    """An error is over sooner than a lifetime: the next reader calls the service again."""
    client = cached(LIVE)

    for _ in range(2):
        await asyncio.gather(client.bound().product(number), return_exceptions=True)

    assert len(client.script.calls) == 2


async def test_a_long_query_is_posted():
    """A document that is longer than a request line may be goes by POST, and is not cached."""
    client = cached(FOUND)
    document = PRODUCT + "#" * 5000

    for _ in range(2):
        await client.bound().query(document, ProductResult, variables={"id": "7"})

    assert [call.method for call in client.script.calls] == ["POST", "POST"]
    assert all(call.is_safe for call in client.script.calls)


def test_a_cache_needs_queries_by_get():
    """Who sets a cache for POST learns that it would store nothing."""
    with pytest.raises(ConfigurationError, match='queries_by = "GET"'):

        class Wrong(GraphQLUpstream):
            policy = Policy(cache=Cache())


@pytest.mark.parametrize("name", ["query", "mutate"])
def test_verbs_are_not_overridden(name):
    """A method that would hide a verb is refused when the class is made."""
    with pytest.raises(ConfigurationError, match="rename it"):
        type("Wrong", (GraphQLUpstream,), {name: lambda self: None})


class Persisted(Catalog):
    """The same service, which stores documents by their hash."""

    persisted = True


UNKNOWN = reply(200, {"errors": [{"message": "PersistedQueryNotFound"}]})


async def test_a_document_is_sent_once_if_the_service_stores_it():
    """The first call sends the hash, then the document; the next ones only the hash."""
    client = Client(UNKNOWN, FOUND, kind=Persisted)
    service = client.bound()

    await service.product("7")
    await service.product("8")

    payloads = [json.loads(call.body) for call in client.script.calls]
    assert ["query" in one for one in payloads] == [False, True, False]
    assert len({one["extensions"]["persistedQuery"]["sha256Hash"] for one in payloads}) == 1


async def test_other_errors_of_a_hash_are_errors():
    """Only a hash that is unknown causes a second call."""
    client = Client(failed("FORBIDDEN"), kind=Persisted)

    with pytest.raises(GraphQLFailed):
        await client.bound().product("7")

    assert len(client.script.calls) == 1


async def test_the_step_of_a_saga_counts_mutations_only():
    """A step that only queried has changed nothing."""
    client, step = Client(LIVE), StepTry()

    await client.bound(step=step).product("7")
    assert step.unsafe_calls == []
    await client.bound(step=step).rename("7", "New")
    assert len(step.unsafe_calls) == 1


async def test_the_stack_shows_where_errors_get_their_status():
    """The layers of a GraphQL service are listed with the one that reads errors."""
    assert "graphql    status from errors" in repr(Client(FOUND).stack)


@dataclass(frozen=True)
class Unreadable:
    """A type that JSON has no form for."""

    value: complex


def test_types_of_queries_are_checked_at_start():
    """A type that can't be decoded is found when the gateway starts, not by the first viewer."""

    class Numbers(GraphQLUpstream):
        async def number(self) -> Unreadable:
            return await self.query("query Number { value }", Unreadable)

    with pytest.raises(ConfigurationError, match=r"Numbers\.number: Unreadable can't be decoded"):
        check_reply_types(Numbers, {}, is_graphql=True)
