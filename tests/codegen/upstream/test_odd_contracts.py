"""Generated clients of contracts as they are: odd names, odd media types, odd defaults."""

import json
from decimal import Decimal

import pytest

from bff_core import FilePart
from bff_core.call import find_header
from bff_core.testing.scripted import Scripted, reply
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    code_of,
    document,
    get,
    items,
    query,
    ref,
    targets,
    thing,
)

FAILURE = {"400": {"description": "No", "content": {"application/json": {"schema": {}}}}}
TEXTS = {"type": "array", "items": TEXT}
THINGS = {"type": "array", "items": thing("id", id=TEXT)}


def header(script, name):
    """Return a header of the only call."""
    return find_header(script.calls[0].headers, name)


async def test_a_parameter_with_an_enum_of_the_contract_as_its_default():
    """FastAPI writes `allOf` with one reference beside a default; it is a member of the enum."""
    schemas = {"Language": {**TEXT, "enum": ["en", "de"]}}
    language = query("language", {"allOf": [ref("Language")], "default": "en"})
    with client(document({"/x": get(TEXT, language)}, schemas)) as made:
        script = Scripted(reply(200, "a"))
        await made.over(script).read()

        assert targets(script) == ["GET /x?language=en"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "array", "items": {}},
        {**TEXT, "format": "uuid"},
        {"type": "array", "items": {**TEXT, "format": "date"}},
        {"type": "object", "additionalProperties": {"type": "number", "format": "decimal"}},
    ],
)
def test_the_bodies_of_errors_import_what_they_need(schema):
    """The module of errors can be imported, whatever their bodies are."""
    failure = answers(schema, status="400")
    item = {"get": {"operationId": "read", "responses": {**answers(TEXT), **failure}}}
    with client(document({"/x": item})) as made:
        assert made.errors is not None


async def test_an_operation_whose_texts_are_blank():
    """A summary beside a description of spaces is its docstring."""
    item = get(TEXT, summary="Reads it", description="  \n ")
    with client(document({"/x": item})) as made:
        assert made.operations.ShopOperations.read.__doc__.startswith("Reads it.")


async def test_a_value_with_the_quotes_of_a_docstring():
    """A literal that has three quotes in it hides no import."""
    schemas = {"Odd": {**TEXT, "enum": ['a """ b', "c"]}, "Z": thing("", **{"None": TEXT})}
    item = get(thing("", odd=ref("Odd"), z=ref("Z")))
    with client(document({"/x": item}, schemas)) as made:
        found = await made.over(Scripted(reply(200, {"odd": 'a """ b', "z": {"None": "x"}}))).read()

        assert (found.odd, found.z.none) == ('a """ b', "x")


async def test_a_204_has_no_body_whatever_the_contract_says():
    """A body that the contract has for a 204 is None."""
    gone = answers(thing("id", id=TEXT), status="204")
    item = {"delete": {"operationId": "drop", "responses": gone}}
    with client(document({"/x": item})) as made:
        assert await made.over(Scripted(reply(204))).drop() is None


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("text/plain", b"plain", "plain"),
        ("application/json", b'"in quotes"', "in quotes"),
        ("application/json", b"3", "3"),
    ],
)
async def test_a_text_of_any_media_type(media_type, body, expected):
    """Spring writes `*/*` for a text, and sends it as text or as JSON."""
    item = {"get": {"operationId": "read", "responses": answers(TEXT, media_type="*/*")}}
    with client(document({"/x": item})) as made:
        script = Scripted(reply(200, body, headers={"content-type": media_type}))

        assert await made.over(script).read() == expected


async def test_a_file_beside_a_202_in_json():
    """The first success decides: the file is read, not the note that it is being made."""
    both = {**answers({**TEXT, "format": "binary"}, media_type="application/pdf"),
            **answers(thing("", message=TEXT), status="202")}  # fmt: skip
    item = {"get": {"operationId": "read", "responses": both}}
    with client(document({"/x": item})) as made:
        script = Scripted(reply(200, b"%PDF"))

        assert await items(made.over(script).read()) == [b"%PDF"]
        assert header(script, b"accept") == b"application/pdf"


@pytest.mark.parametrize(
    ("media_type", "values", "kind", "part"),
    [
        ("application/x-www-form-urlencoded", {"a": "1"}, b"application/x-www-form", b"a=1"),
        ("multipart/form-data", {"a": "1"}, b"multipart/form-data", b'name="a"'),
        ("text/plain", {"content": "x"}, b"text/plain", b"x"),
        ("application/octet-stream", {"content": b"x"}, b"application/octet-stream", b"x"),
    ],
)
@pytest.mark.parametrize("answered", ["text/csv", "application/pdf"])
async def test_a_body_whose_reply_is_no_json(answered, media_type, values, kind, part):
    """A form, a text or bytes are sent, with their media type, where a text or a file answers."""
    schema = thing("a", a=TEXT) if "form" in media_type else TEXT
    operation = {
        "operationId": "save",
        "requestBody": {"required": True, "content": {media_type: {"schema": schema}}},
        "responses": answers(TEXT, media_type=answered),
    }
    with client(document({"/x": {"post": operation}})) as made:
        script = Scripted(reply(200, b"y"))
        result = made.over(script).save(**values)
        read = await items(result) if hasattr(result, "__aiter__") else await result

        assert read in ("y", [b"y"])
        assert header(script, b"content-type").startswith(kind)
        assert part in bytes(script.calls[0].body)


async def test_files_of_a_form_whose_reply_is_a_text():
    """An upload that answers with a text is sent."""
    file = {**TEXT, "format": "binary"}
    operation = {
        "operationId": "save",
        "requestBody": {"content": {"multipart/form-data": {"schema": thing("f", f=file)}}},
        "responses": answers(TEXT, media_type="text/plain"),
    }
    with client(document({"/x": {"post": operation}})) as made:
        script = Scripted(reply(200, b"done"))

        assert await made.over(script).save(f=FilePart("a.txt", b"abc", "text/plain")) == "done"
        assert b"abc" in bytes(script.calls[0].body)


async def test_a_decimal_number_is_sent_as_a_number():
    """A number with the format `decimal` is exact in replies, and a number in requests."""
    price = {"type": "number", "format": "decimal"}
    operation = {
        "operationId": "save",
        "requestBody": {"content": {"application/json": {"schema": thing("p", p=price)}}},
        "responses": answers(thing("p", p=price)),
    }
    with client(document({"/x": {"post": operation}})) as made:
        script = Scripted(reply(200, {"p": 0.1}))
        found = await made.over(script).save(body=made.models.SaveBody(p=10.5))

        assert json.loads(script.calls[0].body) == {"p": 10.5}
        assert found.p == Decimal("0.1")


async def test_bytes_in_json_are_text():
    """Pydantic writes `format: binary` for bytes, and sends them in JSON as text."""
    schema = thing("b", b={**TEXT, "format": "binary", "default": "x"})
    with client(document({"/x": get(schema)})) as made:
        found = await made.over(Scripted(reply(200, {"b": "no base64"}))).read()

        assert found.b == "no base64"


async def test_an_enum_of_numbers_that_are_too_large():
    """Numbers of more than 64 bits, which msgspec can't have in an enum, are numbers."""
    kind = {"type": "integer", "enum": [2**63, 2**70]}
    with client(document({"/x": get(thing("n", n=kind))})) as made:
        found = await made.over(Scripted(reply(200, b'{"n": 9223372036854775808}'))).read()

        assert found.n == 2**63


@pytest.mark.parametrize(
    ("path", "parameters", "values", "expected"),
    [
        ("/rides?page={page}", [], {"page": "2"}, "/rides?page=2"),
        ("/rides?page={page}", [("page", "path")], {"page": "2"}, "/rides?page=2"),
        ("/rides?page={page}", [("page", "query")], {"page": "2"}, "/rides?page=2"),
        ("/rides?kind=day&page={p}", [("p", "path")], {"p": "2"}, "/rides?kind=day&page=2"),
    ],
)
async def test_a_query_in_a_path(path, parameters, values, expected):
    """A placeholder in the query of a path has its value, not its name in braces."""
    declared = [
        {"name": name, "in": place, "required": place == "path", "schema": TEXT}
        for name, place in parameters
    ]
    with client(document({path: get(TEXT, *declared)})) as made:
        script = Scripted(reply(200, "a"))
        await made.over(script).read(**values)

        assert targets(script) == [f"GET {expected}"]


async def test_parameters_with_the_names_of_an_iterator():
    """Parameters called `place`, `found` or `limit` reach the service from an iterator."""
    page = thing("items", items=THINGS, nextCursor=TEXT)
    own = [query(name, TEXT) for name in ("cursor", "place", "found", "read_page", "limit")]
    with client(document({"/x": get(page, *own, name="list_things")})) as made:
        script = Scripted(reply(200, {"items": [{"id": "1"}]}))
        await items(
            made.over(script).all_things(
                place_parameter="a", found_parameter="b", read_page_parameter="c", page_size="d"
            )
        )

        assert targets(script) == ["GET /x?place=a&found=b&read_page=c&limit=d"]


async def test_path_and_header_parameters_with_the_names_of_an_iterator():
    """The parameter `limit` of a path is not the limit of an iterator by links."""
    item = get(THINGS, {"name": "limit", "in": "path", "required": True, "schema": TEXT},
               {"name": "pages", "in": "header", "schema": TEXTS}, name="list_things")  # fmt: skip
    item["get"]["responses"]["200"]["headers"] = {"Link": {"schema": TEXT}}
    with client(document({"/x/{limit}": item})) as made:
        script = Scripted(reply(200, [{"id": "1"}]))
        await items(made.over(script).all_things(page_size="a", pages_parameter=["b"], limit=1))

        assert (targets(script), header(script, b"pages")) == (["GET /x/a"], b"b")


async def test_parameters_with_the_names_of_a_batch_read():
    """Parameters called `load`, `chunk` or `found` reach the service from a batch read."""
    own = [query("ids", TEXTS), *(query(name, TEXT) for name in ("load", "chunk", "found"))]
    with client(document({"/x": get(ref("Pet"), *own, name="x")} | {
        "/pets": get({"type": "array", "items": ref("Pet")}, *own, name="list_pets")
    }, {"Pet": thing("id", id=TEXT)})) as made:  # fmt: skip
        script = Scripted(reply(200, [{"id": "1"}]))
        found = await made.over(script).pets_by_id(
            ["1"], load_parameter="a", chunk_parameter="b", found_parameter="c"
        )

        assert (targets(script), [*found]) == (
            ["GET /pets?ids=1&load=a&chunk=b&found=c"], ["1"],
        )  # fmt: skip


def test_a_chain_of_a_thousand_types():
    """Types that name one another a thousand deep are no recursion of a thousand functions."""
    schemas = {f"T{n}": thing("", next=ref(f"T{n + 1}"), n=NUMBER) for n in range(999)}
    schemas["T999"] = thing("", n=NUMBER)

    made = code_of(document({"/x": get(ref("T0"))}, schemas))

    assert made.files["models.py"].count("class T") == 1000


async def test_the_discriminator_values_of_azure():
    """`x-ms-discriminator-value` is the value of a schema, in place of its name."""
    base = {**thing("@type", **{"@type": TEXT}), "discriminator": {"propertyName": "@type"}}
    schemas = {"Preset": base} | {
        name: {
            "allOf": [ref("Preset"), thing("", a=TEXT)],
            "x-ms-discriminator-value": f"#Ms.{name}",
        }
        for name in ("Audio", "Video")
    }
    with client(document({"/x": get(ref("Preset"))}, schemas)) as made:
        found = await made.over(Scripted(reply(200, {"@type": "#Ms.Video", "a": "x"}))).read()

        assert found == made.models.Video(a="x")
