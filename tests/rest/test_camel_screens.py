"""`Views(case="camel")`: parts, progressive responses, streams, bulk writes, other routes."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends
from msgspec import Struct
from openapi_spec_validator import validate
from pydantic import BaseModel

from bff_core import (
    ANYONE,
    BulkAnswer,
    Composition,
    ConfigurationError,
    Views,
    bulk,
    bulk_answer,
    compose,
    critical,
    early,
    optional,
)
from tests.rest.camel_case import (
    BOTH_WAYS,
    CARD,
    SHOWN,
    Boxed,
    Card,
    Home,
    Line,
    Money,
    Wider,
    answering,
    answering_function,
    served,
)
from tests.rest.camel_inputs import Fast, inputs
from tests.rest.conformance.three_ways import gateway_of


class Shelf(Composition):
    """A screen with parts."""

    @critical
    async def first_card(self) -> Card:
        return CARD

    @optional
    async def all_cards(self) -> list[Card]:
        raise RuntimeError


def early_card(card: Card, _: Shelf) -> dict[str, object]:
    return {"first_card": card, "unknown_name": {"a_b": 1}}


def early_cards(cards: list[Card] | None, _: Shelf) -> Boxed[list[Card]]:
    return Boxed(cards or [])


class Items(Composition):
    """A screen with a bulk write."""

    @bulk(key=lambda line: line.sku_code, most=5)
    async def put(self, line: Line) -> Line:
        if line.line_quantity == 9:
            raise ValueError
        return line


def screens() -> Views:
    """Return views with a progressive answer, a stream and a bulk write."""
    views = Views(access=ANYONE, case="camel")

    @views.get(
        "/home",
        meta=True,
        progressive=[early(Shelf.first_card, early_card), early(Shelf.all_cards, early_cards)],
    )
    async def get_home(shelf: Shelf) -> Home:
        cards = await shelf.all_cards()
        return Home(await shelf.first_card(), cards or [], {}, {})

    @views.stream("/cards")
    async def stream_cards(shelf: Shelf) -> AsyncIterator[Card]:
        yield await shelf.first_card()
        yield Wider("A sock", None)

    @views.post("/lines", status=207)
    async def post_lines(lines: list[Line], items: Items) -> BulkAnswer[Line]:
        return bulk_answer(await items.put(lines), lambda line: line)

    return views


@BOTH_WAYS
async def test_names_of_parts_and_problems_stay(way):
    """`_meta.parts`, `Part-Status` and problem details have the names that they have everywhere."""
    async with served(screens, way) as (_, client):
        answer = await client.get("/home")

    assert answer.headers["part-status"].startswith("all_cards=missing;reason=error")
    body = answer.json()
    assert body["firstCard"] == SHOWN
    assert set(body["_meta"]["parts"]) == {"first_card", "all_cards"}


@BOTH_WAYS
async def test_progressive_lines_hold_pieces_of_the_answer(way):
    """The pieces that a view sends early have the names of the whole answer."""
    async with served(screens, way) as (_, client):
        answer = await client.get("/home", headers={"accept": "application/x-ndjson"})

    lines = [json.loads(line) for line in answer.text.splitlines()]
    values = {one["part"]: one["value"] for one in lines if "part" in one}
    assert values["first_card"] == {"firstCard": SHOWN, "unknown_name": {"a_b": 1}}
    assert values["all_cards"] == {"theItem": []}
    assert lines[-1]["answer"]["firstCard"] == SHOWN


class Shown(Struct):
    """A value that is sent early."""

    the_card: Card

    @classmethod
    def of(cls, card: Card, _: Shelf) -> "Shown":
        """Present a card."""
        return cls(card)


class Named(BaseModel):
    """A model that is sent early."""

    given_name: str


class Naming:
    """A presenter that is an object."""

    def __call__(self, card: Card, _: Shelf) -> Named | None:
        """Present a card by a model."""
        return Named(given_name=card.long_title)


def named(prefix: str, card: Card, _: Shelf) -> Named:
    """Present a card by a model."""
    return Named(given_name=prefix + card.long_title)


PRESENTERS: list[tuple[Any, Any, str | None]] = [
    (lambda card, _: card, SHOWN, None),
    (lambda card, _: [Shown(card)], [{"theCard": SHOWN}], None),
    (lambda card, _: {"any_name": [card], "own": {"a_b": card}},
     {"any_name": [SHOWN], "own": {"a_b": SHOWN}}, None),
    (lambda _, __: None, None, None),
    (Shown.of, {"theCard": SHOWN}, "theCard"),
    (partial(named, "A "), {"givenName": "A A tent"}, "givenName"),
    (Naming(), {"givenName": "A tent"}, "givenName"),
]  # fmt: skip


@pytest.mark.parametrize(("present", "expected", "documented"), PRESENTERS)
async def test_a_value_of_any_presenter_is_in_camel_case(present, expected, documented):
    """Lambdas, methods and objects may present a part; OpenAPI has the names of declared types."""
    views = Views(access=ANYONE, case="camel")

    @views.get("/home", progressive=[early(Shelf.first_card, present)])
    async def get_home(shelf: Shelf) -> Money:
        await shelf.first_card()
        return Money(1)

    async with served(views) as (app, client):
        answer = await client.get("/home", headers={"accept": "application/x-ndjson"})
        document = json.dumps(app.openapi())

    assert json.loads(answer.text.splitlines()[0])["value"] == expected
    assert documented is None or f'"{documented}"' in document


@BOTH_WAYS
async def test_lines_of_a_stream_are_in_camel_case(way):
    """Each with the fields of the declared type, as OpenAPI documents them."""
    async with served(screens, way) as (app, client):
        answer = await client.get("/cards")
        schemas = app.openapi()["components"]["schemas"]

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [
        SHOWN,
        {"longTitle": "A sock", "listPrice": None, "stockKind": "in_stock"},
    ]
    assert list(schemas["Card"]["properties"]) == ["longTitle", "listPrice", "stockKind"]


@BOTH_WAYS
async def test_bulk_answers_are_in_camel_case(way):
    """The problem of an item has the members of problem details."""
    lines = [{"skuCode": "a"}, {"skuCode": "b", "lineQuantity": 9}]
    async with served(screens, way) as (_, client):
        answer = await client.post("/lines", json=lines)

    body = answer.json()
    assert (answer.status_code, body["notAttempted"]) == (207, 0)
    assert body["items"][0]["result"] == {"skuCode": "a", "lineQuantity": 1}
    assert body["items"][1]["problem"]["code"] == "internal_error"


async def test_other_views_of_the_gateway_keep_their_names():
    """One class may be answered under both names, and OpenAPI documents both."""
    camel, plain = Views(prefix="/v2", access=ANYONE, case="camel"), Views(access=ANYONE)
    for views in (camel, plain):
        views.get("/card")(answering_function(Card, CARD))
        views.get("/money")(answering_function(Money, Money(7)))
    app = gateway_of(camel, [])
    app.include_router(plain.router)
    document = app.openapi()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answers = [(await client.get(path)).json() for path in ("/v2/card", "/card")]

    validate(document)
    assert [next(iter(one)) for one in answers] == ["longTitle", "long_title"]
    shown = [
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for path in ("/v2/card", "/card", "/v2/money", "/money")
    ]
    names = [one["$ref"].rpartition("/")[2] for one in shown]
    schemas = document["components"]["schemas"]
    assert next(iter(schemas[names[0]]["properties"])) == "longTitle"
    assert next(iter(schemas[names[1]]["properties"])) == "long_title"
    assert names[2:] == ["Money", "Money"]


async def test_further_answers_are_documented_in_camel_case():
    """The models in `responses=` are those of the same client."""
    documented = {404: {"model": Boxed[Card], "description": "None"}, 410: {"description": "Gone"}}
    views = answering(Money, Money(7), responses=documented)
    views.stream("/y", responses=documented)(stream_money)
    async with served(views) as (app, _):
        document = app.openapi()

    validate(document)
    for path in ("/x", "/y"):
        answers = document["paths"][path]["get"]["responses"]
        [content] = answers["404"]["content"].values()
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert list(document["components"]["schemas"][name]["properties"]) == ["theItem"]
        assert answers["410"]["description"] == "Gone"


async def stream_money() -> AsyncIterator[Money]:
    yield Money(7)


async def test_dependency_override_replaces_a_screen_in_camel_case():
    """`compose(Fast)` is the key as without a case."""
    async with served(inputs()) as (app, client):
        fake = Fast(shop_id="fake", page_size=1)
        app.dependency_overrides[compose(Fast)] = lambda: fake
        answer = await client.get("/n/fast?lastPage=4")

    assert answer.json() == ["fake", 1, 4, 3]


async def test_inputs_of_a_dependency_keep_their_names():
    """A dependency is a function of the author's, which other routes may use as well."""

    async def paging(page_size: int = 3) -> int:
        return page_size

    views = Views(access=ANYONE, case="camel")

    @views.get("/x")
    async def show(size: Annotated[int, Depends(paging)], first_page: int = 1) -> list[int]:
        return [size, first_page]

    async with served(views) as (_, client):
        answer = await client.get("/x?page_size=7&firstPage=2")

    assert answer.json() == [7, 2]


@pytest.mark.parametrize("case", ["kebab", "Camel", "", True, 7, ["camel"]])
def test_unknown_case_is_refused(case):
    """The error says what to give."""
    with pytest.raises(ConfigurationError, match='give case="camel", or leave it out'):
        Views(case=case)


@dataclass
class Clash:
    """A class whose fields would have one name."""

    a_b: int
    aB: int  # noqa: N815 # what is tested


def test_two_fields_with_one_name_are_refused():
    """One of them would be lost."""
    with pytest.raises(ConfigurationError, match="a_b and aB are both aB in camelCase"):
        answering(Clash, Clash(1, 2))


def test_names_in_python_can_not_be_sent_in_camel_case():
    """The two options contradict each other."""
    with pytest.raises(ConfigurationError, match="response_model_by_alias=False"):
        answering(Card, CARD, response_model_by_alias=False)
