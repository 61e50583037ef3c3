"""Typed operations of a GraphQL service: what the code decodes, sends and is called."""

import ast
import json
from types import SimpleNamespace

import msgspec
import pytest
from graphql import build_schema, parse, validate
from msgspec import UNSET

from bff_core import BadPayload, ConfigurationError, GraphQLUpstream
from bff_core.codegen.graphql import GraphQLOptions, generate
from bff_core.contracts.graphql import normalized
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply
from tests.codegen.graphql.answers import Answers, variables_of
from tests.codegen.graphql.generated import complaints, imported
from tests.codegen.graphql.shop import DOCUMENTS, SCHEMA

OPTIONS = GraphQLOptions("Shop", scalars={"Money": "decimal.Decimal"})
PRODUCT = {
    "id": "7",
    "title": "A lamp",
    "createdAt": "2026-01-02T03:04:05Z",
    "status": "SOLD_OUT",
    "price": "9.90",
}


@pytest.fixture(scope="module")
def shop():
    """Return the modules that are generated for the shop."""
    with imported(generate(SCHEMA, DOCUMENTS, OPTIONS)) as (operations, models):
        yield SimpleNamespace(operations=operations, models=models)


def client(shop, *data):
    """Return the generated client, and the script that answers with data in turn."""
    script = Scripted(*(reply(200, {"data": one}) for one in data))

    class Shop(shop.operations.ShopOperations):
        """The user's class."""

    stack = SimpleNamespace(policy=Shop.policy, handler=script, events=Events(), steering=None)
    return Shop(stack, clock=lambda: 100.0), script


def sent(script):
    """Return the variables of each call."""
    return [json.loads(call.body).get("variables") for call in script.calls]


async def test_an_operation_is_a_typed_method(shop):
    """Names are in snake case, scalars and enums are Python's, null is None."""
    service, script = client(shop, {"product": {**PRODUCT, "name": "Lamp", "tags": ["a"]}})

    found = (await service.product(id="7", with_reviews=True)).product

    assert (found.title, found.name, found.tags) == ("A lamp", "Lamp", ("a",))
    assert found.created_at.isoformat() == "2026-01-02T03:04:05+00:00"
    assert found.status is shop.models.Status.SOLD_OUT
    assert str(found.price) == "9.90"
    assert (found.reviews, found.str_, found.attributes) == (None, None, None)
    assert sent(script) == [{"id": "7", "withReviews": True}]
    assert script.calls[0].operation == "query Product"


async def test_a_fragment_is_a_type_that_operations_share(shop):
    """A function that takes a fragment takes it from each operation that spreads it."""
    service, _ = client(shop, {"product": PRODUCT}, {"products": [PRODUCT, None]})

    card = (await service.card(id="7")).product
    cards = (await service.products_by_ids(ids=["7", "8"])).products

    assert type(card) is shop.models.ProductCard
    assert cards == (card, None)


async def test_a_member_of_a_union_is_decoded_as_its_class(shop):
    """The document selects the name of the type, which chooses the class."""
    hits = [
        {"__typename": "Product", "id": "1", "title": "A lamp", "price": None},
        {"__typename": "Bundle", "id": "2", "discountPercent": 5, "products": [{"id": "1"}]},
        {"__typename": "Review", "id": "3"},
    ]
    service, _ = client(shop, {"search": hits})
    models = shop.models

    found = (await service.search(text="lamp")).search

    assert found == (
        models.SearchSearchProduct(id="1", title="A lamp"),
        models.SearchSearchBundle(
            id="2", discount_percent=5, products=(models.SearchSearchBundleProducts(id="1"),)
        ),
        models.SearchSearchReview(id="3"),
    )


async def test_a_fragment_on_an_interface_is_a_union(shop):
    """An interface whose fragment reads more of one type is decoded by type as well."""
    service, _ = client(shop, {"node": {"__typename": "Product", "id": "1", "title": "A lamp"}})

    found = (await service.lookup(id="1")).node

    assert found == shop.models.AnyNodeProduct(id="1", title="A lamp")


async def test_a_new_member_of_an_enum_is_not_an_error(shop):
    """A service that adds a status breaks no screen."""
    service, _ = client(shop, {"product": {**PRODUCT, "status": "ARCHIVED"}})

    found = (await service.card(id="7")).product

    assert found.status is shop.models.Status.UNRECOGNIZED


async def test_variables_are_objects_and_absent_ones_are_left_out(shop):
    """Null, absent and a value are three things, also within an input object."""
    page = {"catalog": {"edges": [], "pageInfo": {"hasNextPage": False}}}
    service, script = client(shop, page)
    models = shop.models
    nested = models.ProductFilter(text="b", min_price=None)
    given = models.ProductFilter(text="a", status_in=[models.Status.CLASS], nested=nested)

    await service.catalog(filter=given)
    await service.catalog(first=None)

    wanted = {"text": "a", "statusIn": ["class"], "nested": {"text": "b", "minPrice": None}}
    assert sent(script) == [{"filter": wanted}, {"first": None}]


async def test_a_variable_with_a_default_may_be_left_out(shop):
    """The default of the document holds, also for a variable that may not be null."""
    service, script = client(shop, {"product": None})

    await service.product(id="7")

    assert sent(script) == [{"id": "7"}]


async def test_a_connection_is_an_iterator(shop):
    """The nodes of all pages come one after another, each page is one call."""

    def page(*ids: str, cursor: str | None) -> dict:
        edges = [{"node": {"id": one, "title": "x"}} for one in ids]
        info = {"hasNextPage": cursor is not None, "endCursor": cursor}
        return {"catalog": {"edges": [*edges, {"node": None}, None], "pageInfo": info}}

    service, script = client(shop, page("1", "2", cursor="b"), page("3", cursor=None))

    found = [one.id async for one in service.each_catalog(first=2)]

    assert found == ["1", "2", "3"]
    assert sent(script) == [{"first": 2}, {"first": 2, "after": "b"}]


async def test_a_batch_read_is_what_a_loader_needs(shop):
    """Many keys are one call, and the result is by key."""
    service, script = client(shop, {"products": [PRODUCT, None]})

    found = await service.load_products_by_ids(["7", "8", "7"])

    assert {key: one.title for key, one in found.items()} == {"7": "A lamp"}
    assert sent(script) == [{"ids": ["7", "8"]}]


async def test_a_mutation_is_a_write(shop):
    """A mutation is sent as one, so that nothing repeats it."""
    service, script = client(shop, {"rename": None})

    assert (await service.rename(id="7", title="New", status=UNSET)).rename is None
    assert not script.calls[0].is_safe


def test_what_is_sent_is_valid(shop):
    """Each document fits the schema, with the names of types that the code added."""
    schema = build_schema(SCHEMA)
    documents = [
        value
        for name, value in vars(shop.operations).items()
        if name.isupper() and isinstance(value, str)
    ]

    assert len(documents) == 7
    assert [validate(schema, parse(one)) for one in documents] == [[]] * 7


def test_the_class_is_an_upstream(shop):
    """The user's class derives from the generated one, and that from GraphQLUpstream."""
    assert issubclass(shop.operations.ShopOperations, GraphQLUpstream)


def test_it_is_the_same_in_every_run():
    """The order of files and of types in the schema changes nothing."""
    other = dict(reversed(DOCUMENTS.items()))

    assert generate(normalized(SCHEMA), other, OPTIONS).files == (
        generate(normalized(SCHEMA), DOCUMENTS, OPTIONS).files
    )


def test_it_passes_the_rules_of_a_new_project(tmp_path):
    """The linter finds nothing to complain of, and nothing to format."""
    assert complaints(tmp_path, generate(SCHEMA, DOCUMENTS, OPTIONS)) == ""


WRONG = {
    "operations/a.graphql": (
        "{ product(id: 1) { id } }\n"
        "query Product { product { id colour } }\n"
        "query product($f: Upload) { product(id: 1) { id } }\n"
    ),
    "operations/b.graphql": "subscription Prices { prices }\nquery X { search(text: 1) { id } }",
    "operations/c.graphql": "query {",
}


def test_all_mistakes_are_listed_with_their_places():
    """One run shows everything that is wrong, in the order of the files."""
    with pytest.raises(ConfigurationError) as failure:
        generate(SCHEMA, WRONG, OPTIONS)

    lines = str(failure.value).splitlines()
    places = [line.partition(": ")[0] for line in lines]
    assert places == [
        "operations/a.graphql:1:1",
        "operations/a.graphql:2:17",
        "operations/a.graphql:2:30",
        "operations/a.graphql:3:1",
        "operations/a.graphql:3:15",
        "operations/a.graphql:3:15",
        "operations/a.graphql:3:19",
        "operations/b.graphql:1:1",
        "operations/b.graphql:2:24",
        "operations/b.graphql:2:29",
        "operations/c.graphql:1:8",
    ]
    text = "\n".join(lines)
    assert "has no name: write `query SomeName { … }`" in text
    assert (
        "product would be the method product, as the operation at operations/a.graphql:2:1" in text
    )
    assert "subscriptions can't be called" in text


async def test_conditions_make_fields_optional():
    """What a variable may leave out is None then; what is within it is there whenever it is."""
    schema = "type Query { a: A! c: Int! d: Int! e: Int! } type A { b: Int! }"
    text = """
    query A($x: Boolean!) {
      a @include(if: $x) { b }
      c @skip(if: $x)
      ... @include(if: $x) { d e }
      e
    }
    """

    made = generate(schema, {"a.graphql": text}, GraphQLOptions("Shop"))

    with imported(made) as (operations, models):
        parts = SimpleNamespace(operations=operations, models=models)
        service, _ = client(parts, {"e": 1}, {"a": {"b": 1}, "d": 2, "e": 3}, {"a": {}, "e": 1})
        without, included = await service.a(x=False), await service.a(x=True)
        with pytest.raises(BadPayload, match="missing required field `b`"):
            await service.a(x=True)
    assert (without.a, without.c, without.d, without.e) == (None, None, None, 1)
    assert (included.a.b, included.d, included.e) == (1, 2, 3)


def test_an_upload_is_refused():
    """A variable that is a file is not possible, and the message says what is."""
    schema = "scalar Upload type Query { a(file: Upload): Int }"
    documents = {"operations/a.graphql": "query A($file: [Upload!]) { a(file: null) }"}

    with pytest.raises(ConfigurationError, match="uploads can't be sent"):
        generate(schema, documents, OPTIONS)


def test_a_response_in_pieces_is_refused():
    """A directive that streams the response is not possible, and the place of it is named."""
    schema = f"{SCHEMA} directive @defer on INLINE_FRAGMENT"
    documents = {"a.graphql": "query A { catalog { ... @defer { totalCount } } }"}

    with pytest.raises(ConfigurationError, match=r"a\.graphql:1:25: @defer is not supported"):
        generate(schema, documents, OPTIONS)


def test_a_deprecated_field_and_unknown_scalars_are_noted():
    """The user learns what will go, and which types were guessed."""
    schema = """
    scalar Money scalar BigInt scalar Stamp @specifiedBy(url: "https://tools.ietf.org/html/rfc3339")
    type Query { old: Int @deprecated(reason: "use\\nnew") money: Money big: BigInt at: Stamp }
    """
    documents = {"operations/a.graphql": "query A { old money big at }"}

    made = generate(schema, documents, GraphQLOptions("Shop"))

    assert made.notes == (
        (
            "the scalar Money is read as any JSON value; to give it a type, write "
            "`# scalar Money = str` in a document."
        ),
        (
            "BigInt is read as a number; if the service sends text, write `# scalar BigInt = str` "
            "in a document."
        ),
        "operations/a.graphql:1:11: Query.old is deprecated: use new",
    )
    assert "at: dt.datetime | None = None" in made.files["models.py"]


async def test_a_comment_declares_the_type_of_a_scalar():
    """The user names the type where the documents are; no other place is needed."""
    schema = "scalar Money scalar BigInt type Query { money: Money big(more: BigInt): BigInt }"
    text = "# scalar Money = decimal.Decimal\nquery A($m: BigInt) { money big(more: $m) }"
    documents = {"a.graphql": text, "b.graphql": "  #scalar BigInt=str\n"}

    made = generate(schema, documents, GraphQLOptions("Shop"))

    with imported(made) as (operations, models):
        service, script = client(
            SimpleNamespace(operations=operations, models=models), {"money": "1.5", "big": "9"}
        )
        found = await service.a(m="8")
    assert (str(found.money), found.big, made.notes) == ("1.5", "9", ())
    assert sent(script) == [{"m": "8"}]


@pytest.mark.parametrize("kind", ["os.system('x')", "a b", "", "x;y"])
def test_the_type_of_a_scalar_is_a_name(kind):
    """A type that is no name is refused: it would become code."""
    with pytest.raises(ConfigurationError, match="name a builtin type"):
        generate(SCHEMA, DOCUMENTS, GraphQLOptions("Shop", scalars={"Money": kind}))


def test_a_wrong_schema_is_refused_with_places():
    """Mistakes in the schema have a place as well."""
    with pytest.raises(ConfigurationError, match=r"schema\.graphql:1:17: Unknown type 'Colour'"):
        generate("type Query { a: Colour }", {}, OPTIONS)


def test_a_first_run_writes_a_document_to_begin_with(tmp_path):
    """Without documents there is one for each field of Query, and its operations work."""
    made = generate(SCHEMA, {}, OPTIONS)

    [(file, text)] = made.starters.items()
    assert file == "operations/queries.graphql"
    again = generate(SCHEMA, {file: text}, OPTIONS)
    assert again.files == made.files
    assert again.starters == {}
    methods = {
        node.name
        for node in ast.walk(ast.parse(made.files["operations.py"]))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }
    wanted = {"product", "products", "catalog", "each_catalog", "search", "node", "load_products"}
    assert wanted <= methods
    assert "oldPrice" not in text
    assert complaints(tmp_path, made) == ""


HOSTILE_TEXT = (
    "Ends \"\"\" here \\N{BULLET} \\u202e ' ''' */ ${x} {y} \\x00 \\\\ "
    "\u202e\u2028\u2029 import os\nos.abort() # ` \\"
)

HOSTILE = """
DESCRIPTION
type Query {
  DESCRIPTION
  self(class: Int, self: Int, data: Int, variables: Int, limit: Int): Struct
  query(import: [None]): Struct
  get: Any name: Any policy: Any path: Any bind: Any mutate: Any
}
type Struct {
  str: String int: Int dt: DateTime field: Any tuple: [Int] def: Int _a: Int A: Int a: Int
  None: Any
}
scalar DateTime
scalar Any
DESCRIPTION
enum None { mro name value None_ _missing_ UNRECOGNIZED unrecognized password }
""".replace("DESCRIPTION", json.dumps(HOSTILE_TEXT))

HOSTILE_DOCUMENTS = {
    "operations/a.graphql": """
query Self($class: Int, $self: Int, $data: Int, $variables: Int, $limit: Int) {
  self(class: $class, self: $self, data: $data, variables: $variables, limit: $limit) {
    str int dt field tuple def _a A a None password: str token: str __typename
  }
}
query Query($import: [None]) { query(import: $import) { str } }
query get { get } query name { name } query policy { policy } query path { path }
query bind { bind } query mutate { mutate } query UNSET { get }
query Text { self(class: 1) { quoted: str } }
query Final { get } query Struct { name } query PasswordToken { get }
""",
}


MOMENT = "2026-01-02T03:04:05Z"


async def test_hostile_names_and_texts_stay_what_they_are(tmp_path):
    """Descriptions can't end their docstring, and names hide nothing that the code needs."""
    made = generate(HOSTILE, HOSTILE_DOCUMENTS, GraphQLOptions("Shop"))

    with imported(made) as (operations, models):
        service, script = client(
            SimpleNamespace(operations=operations, models=models),
            {"self": {"__typename": "Struct", "str": "a", "int": 1, "dt": MOMENT, "tuple": [1]}},
        )
        found = await service.self(class_=1, self_=2, data=3, variables=4, limit_=5)

    assert found.self.str_ == "a"
    assert sent(script) == [{"class": 1, "self": 2, "data": 3, "variables": 4, "limit": 5}]
    assert complaints(tmp_path, made) == ""


async def test_text_in_a_document_is_sent_as_it_is():
    """Quotes, backslashes and letters of a document survive in the Python literal."""
    text = r'query Find { search(text: "a \"b\" \\ \u00e9 é 🎉") { __typename } }'
    block = 'query Block { search(text: """\n  it\'s """) { __typename } }'

    made = generate(SCHEMA, {"operations/a.graphql": f"{text}\n{block}"}, OPTIONS)

    with imported(made) as (operations, _):
        for name, source in (("FIND", text), ("BLOCK", block)):
            [given] = [one.arguments[0].value for one in _fields(parse(source))]
            [found] = [one.arguments[0].value for one in _fields(parse(getattr(operations, name)))]
            assert found.value == given.value


def _fields(document):
    return document.definitions[0].selection_set.selections


@pytest.mark.parametrize("name", ["PRODUCT", "CARD", "CATALOG", "SEARCH", "LOOKUP", "RENAME"])
def test_whatever_the_schema_allows_is_decoded(shop, name):
    """Every type of a union, every enum member and every null fits the classes."""
    schema = build_schema(SCHEMA)
    answers, document = Answers(schema), getattr(shop.operations, name)
    model = getattr(shop.models, f"{name.title()}Data")

    for _ in range(30):
        data = answers.answer(document, variables_of(schema, document))
        made = msgspec.json.decode(msgspec.json.encode(data), type=model)
        assert isinstance(made, model)
