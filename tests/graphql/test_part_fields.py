"""Fields that are parts: their values, arguments, descriptions, errors, access and cost."""

import pytest
import strawberry
from graph_shop import Catalog, Reviews
from part_shop import SCHEMA, Counts, Page, Query, Search, WebCard, WebProduct
from strawberry.schema.config import StrawberryConfig

from bff_core.graphql import GraphQL, QueryLimits
from bff_core.graphql.documents import Documents
from bff_core.testing.scripted import fail, reply

PRODUCT = reply(200, {"id": "7", "title": "A green tent"})


async def ask(shop, query, headers=None, script=lambda scripts: None, **variables):
    """Send one query to a shop of its own; return the answer's JSON and the shop."""
    async with shop(schema=SCHEMA) as open_shop:
        script(open_shop.scripts)
        answer = await open_shop.ask(query, headers, **variables)
    return answer.json(), open_shop


async def test_field_is_the_shape_of_a_part(shop):
    """A type that holds a screen as its source has fields from the parts of the screen."""
    answer, opened = await ask(
        shop,
        '{ product(id: "7") { productId card { id title label } title reviews { text loud } } }',
    )

    assert answer["data"]["product"] == {
        "productId": "7",
        "card": {"id": "7", "title": "A green tent", "label": "A green tent (7)"},
        "title": "A green tent",
        "reviews": [{"text": "good", "loud": "GOOD"}, {"text": "dry", "loud": "DRY"}],
    }
    assert answer["extensions"]["parts"] == {
        "product": {"status": "ok"},
        "reviews": {"status": "ok"},
    }
    assert len(opened.scripts["catalog"].calls) == 1


async def test_private_field_holds_the_screen(shop):
    """A type may hold the screen in a private field, and take keys from its own fields."""
    answer, _ = await ask(shop, '{ held(productId: "7") { id title count } }')

    assert answer["data"] == {"held": {"id": "7", "title": "A green tent", "count": 3}}


async def test_arguments_of_the_part_are_those_of_the_field(shop):
    """Numbers, enums, lists and input types arrive in Python; names are in camel case."""
    answer, opened = await ask(
        shop,
        """query ($wanted: Filter!) {
          product(id: "7") {
            few: reviews(first: 1) { text stars }
            best: reviews(sortBy: BEST) { text }
            a: matching(wanted: $wanted, words: ["x", "y"]) { text }
            b: matching(wanted: {stars: [1, 2], text: "t"}, words: ["x", "y"]) { text }
          }
        }""",
        wanted={"stars": [1, 2], "text": "t"},
    )

    assert answer["data"]["product"]["few"] == [{"text": "good", "stars": 1}]
    assert answer["data"]["product"]["best"] == [{"text": "dry"}, {"text": "good"}]
    assert answer["data"]["product"]["a"] == [{"text": "good t x,y"}, {"text": "dry t x,y"}]
    assert answer["data"]["product"]["b"] == answer["data"]["product"]["a"]
    # Two of the fields have equal arguments, and share the part.
    assert len(opened.scripts["reviews"].calls) == 3


async def test_arguments_may_be_left_out_and_of_any_scalar(shop):
    """An optional argument without a default is None, one with `most` the most."""
    answer, _ = await ask(
        shop,
        """query ($json: JSON!) { product(id: "7") {
          a: anyOf(what: $json) b: anyOf(what: {a: [1, {b: 2}]}, text: "t", first: null)
        } }""",
        json={"c": [1]},
    )

    assert answer["data"]["product"] == {
        "a": "{'c': [1]} None 2",
        "b": "{'a': [1, {'b': 2}]} t 2",
    }


def test_schema_is_that_of_the_parts():
    """Arguments have the types and defaults of the part, descriptions come from its docstring."""
    printed = SCHEMA.as_str()
    product = printed[
        printed.index("type Product ") : printed.index("}", printed.index("type Product "))
    ]

    assert "reviews(first: Int! = 3, sortBy: Order! = NEWEST): [Review!]!" in product
    assert '"""Return the reviews, sorted."""' in product
    assert "matching(wanted: Filter!, words: [String!]! = []): [Review!]" in product
    assert "card: Card!" in product
    assert '"""Return the product itself."""\n  card' in product
    assert '"""\n  title: String!' not in product
    assert "gaps: [Review]!" in product
    assert '"""Not for all."""\n  secret: Card' in product
    assert 'deprecated(reason: "too small")' in product
    assert '@listSize(assumedSize: 3, slicingArguments: ["take"])' in product
    assert '"""How many."""\n    take: Int = 2' in product
    assert 'search(first: Int! = 2, q: String! = ""): Found' in printed
    assert "reviews(productId: String!, first: Int! = 3, sortBy: Order! = NEWEST)" in printed
    assert '[Review!]!\n  find(q: String! = "", limit: Int! = 2): Found!' in printed


async def test_most_bounds_the_argument_that_limits_the_list(shop):
    """More than `most` items are refused before any call, and so is none."""
    answer, opened = await ask(
        shop,
        '{ product(id: "7") { a: bounded(size: 1, take: 4) b: bounded(size: 9) } }',
    )
    assert [one["extensions"]["code"] for one in answer["errors"]] == ["invalid_input"]
    assert answer["errors"][0]["message"] == "take must be 1 to 3, not 4."

    for first in (0, 5):
        answer, opened = await ask(
            shop,
            'query ($n: Int!) { reviews: product(id: "7") { reviews(first: $n) { text } } }',
            n=first,
        )
        assert answer["errors"][0]["message"] == f"first must be 1 to 4, not {first}."
        assert opened.scripts["reviews"].calls == []


async def test_bounds_of_annotations_are_checked(shop):
    """Bounds of a part's argument and of a screen's input are checked as in REST."""
    answer, _ = await ask(shop, '{ search(q: "too long") { total } }')
    assert answer["errors"][0]["message"].startswith("q: String should have at most 5")

    answer, _ = await ask(shop, '{ product(id: "7") { bounded(size: 6) } }')
    assert answer["errors"][0]["message"].startswith(
        "size: Input should be less than or equal to 5"
    )


def test_bounded_list_counts_in_the_cost():
    """The argument that `most` bounds is the size of the list; null counts as the most."""
    documents = Documents(SCHEMA, QueryLimits(), with_introspection=False)

    def cost(query):
        return documents.admit(query, None, None)[1]

    assert cost('{ product(id: "1") { reviews { text } } }') == 1 + 3 * (2 + 1)
    assert cost('{ product(id: "1") { reviews(first: 4) { text } } }') == 1 + 4 * (2 + 1)


async def test_loader_takes_the_key_of_the_parent(shop):
    """All fields of a request share one batch, also those of different types."""
    answer, opened = await ask(
        shop, '{ search { items { id count } } product(id: "7") { card { count } } }'
    )

    assert answer["data"]["search"]["items"] == [
        {"id": "0", "count": None},
        {"id": "1", "count": None},
    ]
    assert answer["data"]["product"] == {"card": {"count": 3}}
    assert [call.target for call in opened.scripts["stock"].calls] == ["/stock?ids=7%2C0%2C1"]


async def test_null_of_a_failed_part_has_an_error_at_its_path(shop):
    """Degraded parts are reported as those of resolvers are, with and without a shape."""

    def script(scripts):
        scripts["reviews"].then(fail())
        scripts["stock"].then(fail())

    answer, _ = await ask(
        shop, '{ product(id: "7") { title rating stars card { count } } }', script=script
    )

    assert answer["data"]["product"] == {
        "title": "A green tent",
        "rating": None,
        "stars": None,
        "card": {"count": None},
    }
    assert sorted((one["path"][1:], one["extensions"]) for one in answer["errors"]) == [
        (["card", "count"], {"code": "unavailable", "status": 503, "part": "count"}),
        (["rating"], {"code": "unavailable", "status": 503, "part": "rating"}),
        (["stars"], {"code": "unavailable", "status": 503, "part": "rating"}),
    ]
    assert answer["extensions"]["parts"]["rating"]["status"] == "missing"


async def test_null_of_a_thing_that_does_not_exist_has_no_error(shop):
    """A part that is "not found" is null without an error, and so is an item of a list."""
    answer, _ = await ask(
        shop,
        '{ product(id: "7") { rating gaps { text } } }',
        script=lambda scripts: scripts["reviews"].then(reply(404)),
    )

    assert answer["data"]["product"] == {"rating": None, "gaps": [{"text": "one"}, None]}
    assert "errors" not in answer


async def test_fallback_is_reported_without_an_error(shop):
    """A fallback is the value of the field, and the part is reported."""
    answer, _ = await ask(
        shop,
        '{ product(id: "7") { reviews { text } } }',
        script=lambda scripts: scripts["reviews"].then(fail()),
    )

    assert answer["data"]["product"] == {"reviews": []}
    assert "errors" not in answer
    assert answer["extensions"]["parts"]["reviews"]["status"] == "fallback"


async def test_access_rules_deny_a_field(shop):
    """A viewer without the scope gets null and an error; the part does not run."""
    answer, opened = await ask(
        shop,
        '{ product(id: "7") { secret { title } a: same(wide: 2) b: same(wide: 3) } }',
        {"authorization": "Bearer demo-1"},
    )

    assert answer["data"]["product"] == {"secret": None, "a": "2.0 2", "b": None}
    assert [one["path"][1:] for one in answer["errors"]] == [["secret"], ["b"]]
    assert {one["extensions"]["code"] for one in answer["errors"]} == {"not_allowed"}
    assert opened.scripts["catalog"].calls == []


async def test_field_of_the_mutation_composes_anew(shop):
    """Two equal changes are two writes."""
    changed = {"id": "7", "title": "new"}
    answer, opened = await ask(
        shop,
        'mutation { a: rename(productId: "7", title: "new") { title } '
        'b: rename(productId: "7", title: "new") { title } }',
        script=lambda scripts: scripts["catalog"].then(reply(200, changed), reply(200, changed)),
    )

    assert answer["data"] == {"a": {"title": "new"}, "b": {"title": "new"}}
    assert [call.method for call in opened.scripts["catalog"].calls] == ["PUT", "PUT"]


async def test_shape_is_an_object_of_its_type(shop):
    """A shape that is made with values has them; others read their source, in Python too."""
    answer, _ = await ask(shop, "{ made { id title } }")

    assert answer["data"] == {"made": {"id": "1", "title": "by hand"}}
    card = WebCard.of(type("Tent", (), {"id": "7", "title": "Tent"})())
    assert (card.id, card.title) == ("7", "Tent")
    with pytest.raises(AttributeError, match="'WebCard' object has no attribute 'price'"):
        _ = card.price


async def test_schema_is_executed_without_a_gateway():
    """Fields of a held screen resolve wherever Strawberry executes the schema."""
    page = Page(catalog=Catalog, reviews_service=Reviews, viewer=None, product_id="7")
    schema = type(SCHEMA)(WebProduct)

    result = await schema.execute(
        "{ productId bounded(size: 3) gaps { text } }", root_value=WebProduct.of(page)
    )

    assert result.errors is None
    assert result.data == {"productId": "7", "bounded": "3.0 2", "gaps": [{"text": "one"}, None]}


def test_face_reports_the_compositions_of_fields():
    """A gateway finds the services that part() and screen() need."""
    assert {*GraphQL(SCHEMA).compositions} == {Counts, Page, Search}


async def test_names_may_be_those_of_python(shop):
    """A schema without camel case passes arguments all the same."""
    schema = strawberry.Schema(Query, config=StrawberryConfig(auto_camel_case=False))
    async with shop(schema=schema) as open_shop:
        answer = await open_shop.ask(
            '{ product(id: "7") { product_id reviews(sort_by: BEST) { text } same(wide: 1) } }',
            {"authorization": "Bearer demo-1"},
        )

    product = answer.json()["data"]["product"]
    assert (product["product_id"], product["reviews"][0]) == ("7", {"text": "dry"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "not_allowed"
