"""Iterators over the pages of a list, and reads of many objects by their keys."""

import inspect
from urllib.parse import parse_qs, urlsplit

import pytest

from bff_core import Composition, loader, optional
from bff_core.service_clients import ForeignPage
from bff_core.testing.scripted import Scripted, reply
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    document,
    get,
    items,
    query,
    ref,
    targets,
    thing,
)

PET = thing("id", id=NUMBER, ownerId=TEXT)
IDS = {"type": "array", "items": NUMBER}
PETS = {"type": "array", "items": ref("Pet")}
NULLABLE_TEXT = {"type": ["string", "null"]}


def listing(schema, *parameters, headers=()):
    """Return a document with one list of pets."""
    responses = answers(schema)
    responses["200"]["headers"] = {name: {"schema": TEXT} for name in headers}
    item = get({}, *parameters, name="list_pets", responses=responses)
    return document({"/pets": item}, {"Pet": PET})


def pets(*ids):
    """Return pets as a service sends them."""
    return [{"id": one} for one in ids]


CURSORS = [
    ("cursor", thing("items", items=PETS, nextCursor=NULLABLE_TEXT),
     lambda found, cursor: {"items": found, "nextCursor": cursor}),
    ("page_token", thing("data", data=PETS, next_page_token=TEXT),
     lambda found, cursor: {"data": found, "next_page_token": cursor or ""}),
    ("after", thing("pets", pets=PETS, meta=thing("", cursor=NULLABLE_TEXT)),
     lambda found, cursor: {"pets": found, "meta": {"cursor": cursor}}),
    ("after", thing("nodes pageInfo", nodes=PETS, pageInfo=thing(
        "hasNextPage endCursor", hasNextPage={"type": "boolean"}, endCursor=TEXT)),
     lambda found, cursor: {"nodes": found, "pageInfo": {
         "hasNextPage": cursor is not None, "endCursor": cursor or "last"}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "schema", "page"), CURSORS)
async def test_pages_by_cursor(name, schema, page):
    """Items of all pages come in order, until a page has no cursor."""
    with client(listing(schema, query(name, TEXT), query("sort", TEXT))) as made:
        script = Scripted(reply(200, page(pets(1, 2), "b")), reply(200, page(pets(3), None)))
        found = await items(made.over(script).all_pets(sort="id"))

        assert [one.id for one in found] == [1, 2, 3]
        assert isinstance(found[0], made.models.Pet)
        assert targets(script) == ["GET /pets?sort=id", f"GET /pets?{name}=b&sort=id"]


async def test_an_iterator_ends_at_a_limit_an_empty_page_or_a_repeated_cursor():
    """No list runs for ever, and no page is requested in vain."""
    _, schema, page = CURSORS[0]

    async def read(*pages, **options):
        script = Scripted(*(reply(200, page(pets(*ids), cursor)) for ids, cursor in pages))
        found = await items(made.over(script).all_pets(**options))
        return [one.id for one in found], len(script.calls)

    with client(listing(schema, query("cursor", TEXT))) as made:
        endless = [([1, 2], "a"), ([3, 4], "b"), ([5], "c"), ([6], "d")]
        assert await read(*endless, limit=3) == ([1, 2, 3], 2)
        assert await read(*endless, pages=1) == ([1, 2], 1)
        assert await read(*endless, limit=0) == ([], 0)
        assert await read(([1], "a"), ([], "b"), ([2], None)) == ([1], 2)
        assert await read(([1], "a"), ([2], "a"), ([3], None)) == ([1, 2], 2)


def numbered(target):
    """Return the query of a call."""
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


async def test_pages_by_number():
    """The first page is the contract's, and a total of pages ends the list."""
    schema = thing("items total_pages", items=PETS, total_pages=NUMBER)
    parameters = [query("page", {**NUMBER, "default": 1}), query("per_page", NUMBER)]
    with client(listing(schema, *parameters)) as made:
        script = Scripted(*(reply(200, {"items": pets(n), "total_pages": 2}) for n in (1, 2, 3)))
        found = await items(made.over(script).all_pets(per_page=1))

        assert [one.id for one in found] == [1, 2]
        assert [numbered(call.target)["page"] for call in script.calls] == ["1", "2"]


async def test_pages_of_spring_begin_at_zero():
    """`last` ends the pages that begin at 0."""
    schema = thing("content last", content=PETS, last={"type": "boolean"})
    with client(listing(schema, query("page", {**NUMBER, "default": 0}))) as made:
        script = Scripted(
            reply(200, {"content": pets(1), "last": False}),
            reply(200, {"content": pets(2), "last": True}),
        )

        assert [one.id for one in await items(made.over(script).all_pets())] == [1, 2]
        assert [numbered(call.target)["page"] for call in script.calls] == ["0", "1"]


async def test_pages_by_offset():
    """The offset grows by what came; an own `limit` of the service is the size of a page."""
    with client(listing(PETS, query("offset", NUMBER), query("limit", NUMBER))) as made:
        script = Scripted(reply(200, pets(1, 2)), reply(200, pets(3)), reply(200, []))
        found = await items(made.over(script).all_pets(page_size=2, limit=10))

        assert [one.id for one in found] == [1, 2, 3]
        assert [numbered(call.target) for call in script.calls] == [
            {"limit": "2", "offset": offset} for offset in ("0", "2", "3")
        ]


def linked(url, *ids):
    """Return a page with a link to the next one."""
    link = f'<https://other.example/first>; rel="first", <{url}>; rel="prev next"'
    return reply(200, pets(*ids), headers={"link": link} if url else {})


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/pets?page=2&tag=a&tag=b", "/pets?page=2&tag=a&tag=b"),
        ("?page=2", "/pets?page=2"),
        ("http://shop.internal:8080/pets?page=2", "/pets?page=2"),
        ("http://shop.internal:8080/by-id/7/pets?page=2", "/by-id/7/pets?page=2"),
        ("https://public.example/api/pets?page=2", "/pets?page=2"),
    ],
)
async def test_pages_by_link(url, target):
    """The header Link is followed at the service, whatever host it names."""
    with client(listing(PETS, query("page", TEXT), headers=["Link"])) as made:
        script = Scripted(linked(url, 1), linked("", 2))
        found = await items(made.over(script).all_pets())

        assert [one.id for one in found] == [1, 2]
        assert targets(script) == ["GET /pets", f"GET {target}"]


async def test_a_link_to_another_origin_is_not_followed():
    """No reply can make the gateway call a path of its choice by the name of another host."""
    with client(listing(PETS, headers=["Link"])) as made:
        script = Scripted(linked("https://evil.example/admin", 1), linked("", 2))

        with pytest.raises(ForeignPage, match="another origin"):
            await items(made.over(script).all_pets())

        assert len(script.calls) == 1


async def test_pages_by_an_address_in_the_body():
    """The address of the next page may be in the body, also as an object with href."""
    links = thing("", next=thing("href", href=TEXT))
    schema = thing("results", results=PETS, links=links)
    with client(listing(schema)) as made:
        script = Scripted(
            reply(200, {"results": pets(1), "links": {"next": {"href": "/pets?c=2"}}}),
            reply(200, {"results": pets(2), "links": {}}),
            reply(200, {"results": pets(3)}),
        )
        found = await items(made.over(script).all_pets())

        assert [one.id for one in found] == [1, 2]
        assert targets(script) == ["GET /pets", "GET /pets?c=2"]


@pytest.mark.parametrize(
    ("parameter", "target"),
    [
        (query("ids", IDS, explode=False), "/pets?ids=1%2C2"),
        (query("id[]", IDS), "/pets?id%5B%5D=1&id%5B%5D=2"),
        (query("filter[id]", IDS), "/pets?filter%5Bid%5D=1&filter%5Bid%5D=2"),
        (query("pet_ids", IDS, required=True), "/pets?pet_ids=1&pet_ids=2"),
    ],
)  # fmt: skip
async def test_objects_by_their_keys(parameter, target):
    """A list of ids and a reply with them make a method for loaders."""
    with client(listing(PETS, parameter)) as made:
        script = Scripted(reply(200, pets(2)))
        found = await made.over(script).pets_by_id([1, 2, 1])

        assert found == {2: made.models.Pet(id=2)}
        assert targets(script) == [f"GET {target}"]


async def test_a_call_has_as_many_keys_as_the_contract_allows():
    """`maxItems` and the largest page limit a call; no keys make none."""
    parameters = [
        query("ids", {"type": "array", "maxItems": 3, "items": NUMBER}, explode=False),
        query("limit", {**NUMBER, "maximum": 2}),
    ]
    with client(listing(thing("items", items=PETS), *parameters)) as made:
        script = Scripted(reply(200, {"items": pets(1, 2)}), reply(200, {"items": pets(3)}))
        shop = made.over(script)

        assert await shop.pets_by_id([]) == {}
        assert sorted(await shop.pets_by_id([1, 2, 3])) == [1, 2, 3]
        assert targets(script) == ["GET /pets?ids=1%2C2&limit=2", "GET /pets?ids=3&limit=1"]


async def test_a_map_by_key():
    """A reply that is a map by key needs no field for it."""
    prices = {"type": "object", "additionalProperties": NUMBER}
    skus = query("skus", {"type": "array", "items": TEXT}, required=True)
    item = get(prices, skus, name="prices")
    with client(document({"/prices": item})) as made:
        shop = made.over(Scripted(reply(200, {"a": 5})))

        assert await shop.prices_by_key(["a", "b"]) == {"a": 5}


def test_a_list_of_something_else_is_no_batch():
    """A filter by owner is no key of a pet, and tags are none either."""
    owners = query("owner_ids", {"type": "array", "items": TEXT})
    tags = query("tags", {"type": "array", "items": TEXT})
    with client(listing(PETS, tags)) as made, client(listing(PETS, owners)) as other:
        names = [*vars(made.operations.ShopOperations), *vars(other.operations.ShopOperations)]

    assert [name for name in names if "_by_" in name] == []


async def test_a_loader_is_one_line():
    """A composition's loader calls the batch read with its keys."""
    ids = query("ids", {"type": "array", "items": NUMBER})
    with client(listing(PETS, ids)) as made:
        signature = inspect.signature(made.operations.ShopOperations.pets_by_id)

        class Shelf(Composition):
            """A screen with pets."""

            @loader
            async def pet(self, ids: tuple[int, ...]) -> dict[int, object]:
                return await made.over(Scripted(reply(200, pets(1)))).pets_by_id(ids)

        assert list(signature.parameters) == ["self", "ids"]
        assert Shelf.pet is not None


@pytest.mark.virtual_time
async def test_pages_end_at_the_deadline_of_a_part():
    """A list that takes too long fails within its part, and not page by page."""
    _, schema, page = CURSORS[0]

    with client(listing(schema, query("cursor", TEXT))) as made:
        steps = [reply(200, page(pets(n), str(n)), after=0.4) for n in range(9)]
        script = Scripted(*steps)
        shop = made.over(script)

        class Shelf(Composition):
            """A screen with a list."""

            @optional(fallback=(), timeout=1.0)
            async def pets(self) -> tuple[object, ...]:
                return tuple(await items(shop.all_pets()))

        shelf = Shelf()
        assert await shelf.pets() == ()
        assert len(script.calls) == 3
