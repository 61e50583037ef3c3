"""The view cache of GraphQL queries by GET: the same rules as for REST views."""

import asyncio

import httpx
import pytest
import strawberry

from bff_core import ANYONE, Require, access
from bff_core.errors import ConfigurationError
from bff_core.graphql import GraphQL, Info
from bff_core.testing.scripted import hang
from tests.shop_with_view_cache import Greeting, Language, Page, Shop, bearer, open_shop

pytestmark = pytest.mark.virtual_time


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def title(self, info: Info, id: str) -> str:  # noqa: A002 - its name
        return await info.context.compose(Page, product_id=id).product()

    @strawberry.field
    async def price(self, info: Info) -> int | None:
        return await info.context.compose(Page).price()

    @strawberry.field
    async def me(self, info: Info) -> str:
        return await info.context.compose(Page).name()

    @strawberry.field
    async def tariff(self, info: Info) -> str:
        return await info.context.compose(Page).tariff()

    @strawberry.field
    async def translated(self, info: Info, id: str) -> str:  # noqa: A002 - its name
        title = await info.context.compose(Page, product_id=id).product()
        return title if id == "7" else f"{title} in {info.context.wired(Language).name}"

    @strawberry.field
    async def hello(self, info: Info) -> str:
        return f"Hello {info.context.compose(Greeting).viewer.subject}"


@access(ANYONE)
@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def rename(self, info: Info, id: str) -> str:  # noqa: A002 - its name
        return await info.context.compose_anew(Page, product_id=id).renamed()


def opened(**options):
    """Open a shop with this schema."""
    options = {"public": ["title", "price", "me", "hello", "translated"]} | options
    return open_shop([GraphQL(strawberry.Schema(Query, Mutation), **options)])


async def get(shop: Shop, query: str, headers=None, **more: str) -> httpx.Response:
    """Send a query by GET."""
    url = httpx.URL("/graphql", params={"query": query, **more})
    return await shop.get(str(url), headers)


def calls_of(shop: Shop, name: str = "catalog") -> int:
    """Return how often a service was called."""
    return len(shop.scripts[name].calls)


TITLE = '{ title(id: "7") }'


async def test_a_query_by_get_is_served_from_bytes():
    """The second answer comes from the cache, and `Cache-Status` says so."""
    async with opened() as shop:
        first = await get(shop, TITLE)
        await asyncio.sleep(10)
        second = await get(shop, TITLE)

    assert second.content == first.content
    assert first.headers["cache-status"] == "shop; fwd=miss; stored"
    assert second.headers["cache-status"] == "shop; hit; ttl=50"
    assert second.headers["age"] == "10"
    assert first.headers["cache-control"] == "public, max-age=60"


async def test_a_query_by_post_is_executed_each_time():
    """Its parts are cached, the answer is not."""
    async with opened() as shop:
        answers = [await shop.client.post("/graphql", json={"query": TITLE}) for _ in range(2)]

    assert [one.headers.get("cache-status") for one in answers] == [None, None]
    assert calls_of(shop) == 1


async def test_a_face_without_a_view_cache_reports_bypass():
    """Each query is executed; its parts are cached all the same."""
    async with opened(cache=False) as shop:
        answers = [await get(shop, TITLE) for _ in range(2)]

    assert {one.headers["cache-status"] for one in answers} == {"shop; fwd=bypass"}
    assert {one.headers["cache-control"] for one in answers} == {"private, no-cache"}
    assert calls_of(shop) == 1


async def test_query_variables_and_operation_are_part_of_the_key():
    """Requests that differ in one of them have different answers."""
    document = "query A($id: String!) { title(id: $id) } query B { price }"
    async with opened() as shop:
        answers = [
            await get(shop, document, operationName="A", variables='{"id": "7"}'),
            await get(shop, document, operationName="A", variables='{"id": "8"}'),
            await get(shop, document, operationName="B"),
            await get(shop, document, operationName="A", variables='{ "id":"7" }'),
        ]

    assert [one.json()["data"] for one in answers] == [
        {"title": "Tent 7"},
        {"title": "Tent 8"},
        {"price": 100},
        {"title": "Tent 7"},
    ]
    assert ["hit" in one.headers["cache-status"] for one in answers] == [False, False, False, True]


async def test_viewers_get_their_own_answers():
    """Their answers depend on a reply per viewer, or on the viewer's name."""
    async with opened() as shop:
        answers = [
            (await get(shop, query, bearer(name))).text
            for query in ("{ me }", '{ hello title(id: "7") }')
            for name in ("ann", "bob", "ann")
        ]

    for ann, bob, again in (answers[:3], answers[3:]):
        assert ann == again != bob
        assert "ann" in ann
        assert "ann" not in bob


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ('{ title(id: "7") }', [True, True, True]),
        ('{ __typename ...F } fragment F on Query { title(id: "7") }', [True, True, True]),
        ("{ tariff }", [True, False, False]),
        ('{ title(id: "7") tariff }', [True, False, False]),
        ('{ title(id: "7") price }', [False, False, False]),
        ('{ ... on Query { title(id: "7") price } }', [False, False, False]),
        ('{ title(id: "7") ...F } fragment F on Query { price }', [False, False, False]),
        ('{ title(id: "7") price @include(if: false) }', [False, False, False]),
    ],
)
async def test_viewers_share_what_all_root_fields_allow(query, hits):
    """Bob of Ann's tenant, Ann of another tenant, and an anonymous caller, after Ann."""
    async with opened(public=["title"], per_tenant=["tariff"]) as shop:
        await get(shop, query, bearer("ann@acme"))
        others = [bearer("bob@acme"), bearer("ann@bolt"), None]
        answers = [await get(shop, query, headers) for headers in others]
        again = await get(shop, query, bearer("ann@acme"))

    assert ["hit" in one.headers["cache-status"] for one in answers] == hits
    assert "hit" in again.headers["cache-status"]


async def test_header_that_is_read_later_is_part_of_the_key_from_then_on():
    """Titles in German are not served to requests for French, whatever was cached before."""
    query = "query ($id: String!) { translated(id: $id) }"
    async with opened() as shop:
        answers = [
            await get(
                shop, query, {"accept-language": language}, variables=f'{{"id": "{product}"}}'
            )
            for product, language in [
                ("7", "de"),
                ("8", "de"),
                ("8", "fr"),
                ("7", "fr"),
                ("8", "de"),
            ]
        ]

    assert [one.json()["data"]["translated"] for one in answers] == [
        "Tent 7", "Tent 8 in de", "Tent 8 in fr", "Tent 7", "Tent 8 in de",
    ]  # fmt: skip
    assert "hit" in answers[-1].headers["cache-status"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"public": ["titel"]}, r"GraphQL\(public=\['titel'\]\): the query type has no such field"),
        ({"per_tenant": "me"}, r"GraphQL\(per_tenant='me'\): give a list of field names"),
        ({"public": ["me"], "per_tenant": ["me"]}, r"per_tenant=\['me'\]\): it is declared twice"),
    ],
)
def test_declaration_of_an_unknown_field_is_refused(options, error):
    """The error names the option and the field."""
    with pytest.raises(ConfigurationError, match=error):
        GraphQL(strawberry.Schema(Query), **options)


async def test_a_mutation_purges_what_it_changed():
    """After the purge the query is executed again."""
    async with opened() as shop:
        await get(shop, TITLE)
        await shop.client.post("/graphql", json={"query": 'mutation { rename(id: "7") }'})
        after = await get(shop, TITLE)

    assert "hit" not in after.headers["cache-status"]


async def test_a_client_that_has_the_answer_gets_304():
    """The entity tag matches, whether the answer was cached or not."""
    async with opened() as shop:
        first = await get(shop, TITLE)
        second = await get(shop, TITLE, {"if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]


async def test_a_degraded_answer_is_not_stored():
    """Neither the gateway nor caches on the way store it."""
    async with opened() as shop:
        shop.scripts["prices"].then(hang())
        first = await get(shop, "{ price }")
        second = await get(shop, "{ price }")

    assert [one.headers["cache-control"] for one in (first, second)] == ["no-store"] * 2
    assert "hit" not in second.headers["cache-status"]


async def test_a_stale_reply_is_reported():
    """It causes no error, and caches on the way do not store the answer."""
    async with opened() as shop:
        await get(shop, "{ price }")
        shop.scripts["prices"].then(hang())
        await asyncio.sleep(20)
        answers = await get(shop, "{ price }")

    answer = answers.json()
    assert answer["data"] == {"price": 100}
    assert "errors" not in answer
    assert answer["extensions"]["parts"]["price"]["status"] == "stale"
    assert answer["extensions"]["parts"]["price"]["age"] >= 20
    assert answers.headers["cache-control"] == "private, no-cache"
    assert int(answers.headers["age"]) >= 20


SECRET = Require("secret:read")
READER, STRANGER = bearer("ann secret:read"), bearer("bob other")


@access(SECRET)
async def resolve_secret(info: Info, id: str) -> str:  # noqa: A002 - its name
    """Return a public title behind an access rule."""
    return await info.context.compose(Page, product_id=id).product()


@access(Require(when=lambda viewer, of: of["product_id"] in {viewer.subject, *viewer.scopes}))
async def resolve_own(info: Info, product_id: str) -> str:
    """Return a title for the viewer whose name or scope is its id."""
    return await info.context.compose(Page, product_id=product_id).product()


@strawberry.interface
class Thing:
    """A thing with a title."""

    title: str


@access(ANYONE)
@strawberry.type
class Open(Thing):
    """A thing for everyone."""


@access(SECRET)
@strawberry.type
class Closed(Thing):
    """A thing for few viewers."""

    @strawberry.field
    def title(self) -> str:
        return "closed"


@strawberry.type
class Guarded:
    """Fields for some viewers."""

    secret: str | None = strawberry.field(resolver=resolve_secret)
    own: str | None = strawberry.field(resolver=resolve_own)

    @strawberry.field
    async def signed_in(self, info: Info) -> str | None:
        return await info.context.compose(Page).product()

    @strawberry.field
    @access(ANYONE)
    async def thing(self, info: Info) -> Thing | None:
        await info.context.compose(Page).product()
        return Closed()


def guarded():
    """Open a shop whose fields have access rules."""
    public = ["secret", "own", "signedIn", "thing"]
    return open_shop([GraphQL(strawberry.Schema(Guarded, types=[Open, Closed]), public=public)])


GUARDED = {
    "a scope": ('{ secret(id: "7") }', READER, STRANGER),
    "anonymous": ('{ secret(id: "7") }', READER, None),
    "what says nothing": ("{ signedIn }", STRANGER, None),
    "by alias": ('{ a: secret(id: "7") }', READER, STRANGER),
    "in a fragment": (
        '{ ...F } fragment F on Guarded { ... on Guarded { secret(id: "7") } }', READER, STRANGER,
    ),
    "by arguments": ('{ own(productId: "ann") }', bearer("ann"), bearer("bob")),
    "by the arguments of one of two": (
        '{ a: own(productId: "ann") b: own(productId: "bob") }', bearer("eve ann bob"),
        bearer("bob"),
    ),
    "by variables": ("query ($of: String!) { own(productId: $of) }", bearer("ann"), bearer("bob")),
    "by a default": (
        'query ($of: String! = "ann") { own(productId: $of) }', bearer("ann"), bearer("bob"),
    ),
    "of a type behind an interface": ("{ thing { title } }", READER, STRANGER),
}  # fmt: skip


@pytest.mark.parametrize("how", GUARDED)
async def test_a_stored_answer_is_served_only_to_viewers_of_all_fields(how):
    """The access rules of all fields are checked before a stored answer is served."""
    query, friend, stranger = GUARDED[how]
    more = {"variables": '{"of": "ann"}'} if "($of: String!)" in query else {}
    async with guarded() as shop:
        first = await get(shop, query, friend, **more)
        hit = await get(shop, query, friend, **more)
        refused = await get(shop, query, stranger, **more)
        after = await get(shop, query, friend, **more)

    assert "errors" not in first.json()
    assert "hit" in hit.headers["cache-status"]
    assert refused.json()["errors"][0]["extensions"]["status"] == (403 if stranger else 401)
    assert "hit" not in refused.headers["cache-status"]
    assert after.content == first.content


async def test_a_field_that_is_skipped_does_not_refuse_an_answer():
    """The query is executed, since a stored answer may hold the field."""
    query = 'query ($all: Boolean!) { signedIn secret(id: "7") @include(if: $all) }'
    async with guarded() as shop:
        answers = [await get(shop, query, STRANGER, variables='{"all": false}') for _ in range(2)]

    assert [one.json()["data"] for one in answers] == [{"signedIn": "Tent 7"}] * 2


async def test_a_field_with_an_access_rule_is_private_to_shared_caches():
    """Shared caches check no rule, and would serve the answer to the next viewer."""
    async with guarded() as shop:
        answers = await get(shop, '{ secret(id: "7") }', READER)

    assert answers.headers["cache-control"] == "private, max-age=60"
    assert {"Authorization", "Cookie"} <= set(answers.headers["vary"].split(", "))
