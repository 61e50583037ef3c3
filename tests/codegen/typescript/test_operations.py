"""Operations of OpenAPI as methods of a client."""

import re
from pathlib import Path

import pytest

from bff_core.cli.client import document_of, options_of
from bff_core.cli.gateways import load_gateway
from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.typescript import generate
from bff_core.contracts.openapi import parse
from tests.codegen.typescript.compilers import COMPILERS, WITHOUT_PLATFORM, compile_files
from tests.codegen.typescript.documents import client, document, returning
from tests.reference_project import gateways_imported_anew

ROOT = Path(__file__).parents[3]
TEXT = {"type": "string"}


def signature(text: str, method: str) -> str:
    """Return the arguments of a method as the interface declares them."""
    found = re.search(rf"^  {method}\((.*)\): Promise", text, re.MULTILINE)
    assert found is not None, text
    return found.group(1)


def parameter(name: str, place: str, **more: object) -> dict[str, object]:
    return {"name": name, "in": place, "schema": TEXT, **more}


def test_arguments_are_required_where_the_operation_needs_one():
    """An operation without a required argument can be called with nothing."""
    text = client(
        {
            "/a/{id}": {
                "get": returning(
                    TEXT, operationId="get_a", parameters=[parameter("id", "path", required=True)]
                )
            },
            "/b": {
                "get": returning(TEXT, operationId="get_b", parameters=[parameter("q", "query")])
            },
            "/c": {"get": returning(TEXT, operationId="get_c")},
        }
    )

    assert signature(text, "getA") == "given: GetAArguments, options?: CallOptions"
    assert signature(text, "getB") == "given?: GetBArguments, options?: CallOptions"
    assert signature(text, "getC") == "given?: GetCArguments, options?: CallOptions"
    assert "  readonly q?: string | undefined;\n" in text


def test_lists_of_the_query_may_be_read_only():
    """A constant list can be given; a union of a text and a list is one of both."""
    texts = {"type": "array", "items": TEXT}
    parameters = [
        {"name": "tag", "in": "query", "schema": texts},
        {"name": "id", "in": "query", "schema": {"oneOf": [TEXT, texts]}},
    ]

    text = client({"/a": {"get": returning(TEXT, parameters=parameters)}})

    assert "  readonly tag?: readonly string[] | undefined;\n" in text
    assert "  readonly id?: string | string[] | undefined;\n" in text


def test_parameters_of_one_name_have_different_keys():
    """An id of the path and one of the query can both be given; `body` is that of the body."""
    text = client(
        {
            "/a/{id}": {
                "put": returning(
                    TEXT,
                    parameters=[
                        parameter("id", "path", required=True),
                        parameter("id", "query"),
                        parameter("body", "query"),
                    ],
                    requestBody={"content": {"application/json": {"schema": TEXT}}},
                )
            }
        }
    )

    keys = re.findall(r'key: "(\w+)", name: "(\w+)", place: "(\w+)"', text)
    assert keys == [
        ("id", "id", "path"),
        ("query_id", "id", "query"),
        ("query_body", "body", "query"),
    ]


def test_headers_that_the_client_sends_itself_are_no_arguments():
    """The key of a write is an option; `_meta` and cookies are not for callers."""
    text = client(
        {
            "/a": {
                "post": returning(
                    TEXT,
                    operationId="post_a",
                    parameters=[
                        parameter("Idempotency-Key", "header", required=True),
                        parameter("_meta", "query"),
                        parameter("theme", "cookie"),
                        parameter("X-Channel", "header"),
                    ],
                )
            }
        }
    )

    assert signature(text, "postA") == "given?: PostAArguments, options?: WriteOptions"
    assert re.findall(r'key: "([\w-]+)"', text) == ["X-Channel"]
    assert "isKeyed: true" in text


def test_methods_have_unique_names():
    """Operations of one name, and those called as a member of the client, get another name."""
    text = client(
        {
            "/a": {"get": returning(TEXT, operationId="get_a")},
            "/b": {"get": returning(TEXT, operationId="getA")},
            "/c": {"get": returning(TEXT, operationId="then")},
            "/d/{id}": {"get": returning(TEXT)},
        }
    )

    methods = re.findall(r"^  (\w+)\(given", text, re.MULTILINE)
    assert methods == ["getA", "getB", "getC", "getDId"]


@pytest.mark.parametrize(
    ("media_type", "reads", "data"),
    [
        ("application/json", "json", "string"),
        ("application/vnd.shop+json", "json", "string"),
        ("text/csv", "text", "string"),
        ("application/pdf", "binary", "BinaryData"),
    ],
)
def test_answers_are_read_by_their_media_type(media_type, reads, data):
    """JSON is parsed, text is text, and a file is a `Blob`."""
    content = {media_type: {"schema": TEXT}}
    operation = {"responses": {"200": {"description": "", "content": content}}}

    text = client({"/a": {"get": {"operationId": "get_a", **operation}}})

    assert f'reads: "{reads}"' in text
    assert f"export type GetAResult = Result<{data}, GetAPart, GetACode>;" in text


def test_a_stream_of_events_is_read_as_events():
    """Server-sent events have a type of their own."""
    content = {"text/event-stream": {"schema": TEXT}}
    operation = {"responses": {"200": {"description": "", "content": content}}}

    text = client({"/a": {"get": {"operationId": "watch", **operation}}})

    assert "export type WatchLine = ServerEvent;" in text
    assert "operations.watch, eventsOf, given" in text


def test_sessions_need_the_header_against_forgery():
    """A gateway with a session cookie gets `X-CSRF` and cookies from its client."""
    plain = document({"/a": {"get": returning(TEXT)}})
    cookie = {"type": "apiKey", "in": "cookie", "name": "__Host-bff"}
    plain["components"]["securitySchemes"] = {"Session": cookie}

    (text,) = generate(parse(plain), ClientOptions(gateway="shop")).values()

    assert "createRuntime(options, true)" in text
    assert "createRuntime(options, false)" in client({"/a": {"get": returning(TEXT)}})


@pytest.mark.needs("node", "npm")
@pytest.mark.parametrize(
    ("name", "version"), [("mobile", "7"), ("desktop", "7"), ("mobile", "5.9")]
)
def test_clients_of_the_reference_gateways_compile(name, version, tmp_path, monkeypatch):
    """Under all strict options, without the types of a browser or of Node."""
    assert version in COMPILERS
    monkeypatch.chdir(ROOT)
    with gateways_imported_anew():
        loaded = load_gateway(name)
        options = options_of(f"bff client ts --gateway {name}", loaded)
        files = generate(document_of(loaded), options)
    for file, text in files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")

    assert compile_files(version, tmp_path, *WITHOUT_PLATFORM, f"{name}.ts") == []


def test_no_method_makes_the_client_a_class_or_a_promise():
    """An interface with a method `new` has a constructor, and one with `then` can be awaited."""
    text = client(
        {
            "/orders": {"post": returning(TEXT, operationId="new")},
            "/next": {"get": returning(TEXT, operationId="then")},
        }
    )

    assert "postOrders" in text
    assert "getNext" in text
    assert not re.search(r"^  (new|then)\(", text, re.MULTILINE)


def test_a_value_that_is_shown_early_has_fields_of_the_answer():
    """Unless the gateway declares more of it, such as that it is a number."""
    answer = {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
    lines = [
        {"type": "object", "properties": {"part": {"const": part}, "value": value}}
        for part, value in (("profile", {"type": "object"}), ("count", {"type": "integer"}))
    ]
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Home"}},
        "application/x-ndjson": {"schema": {"oneOf": lines}},
    }
    operation = {
        "operationId": "get_home",
        "responses": {"200": {"description": "", "content": content}},
    }

    text = client({"/home": {"get": operation}}, Home=answer)

    assert "ProgressiveLine<Home, { profile: Partial<Home>; count: number }, " in text
