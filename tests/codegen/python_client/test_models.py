"""What a document becomes in Python: models, parameters, credentials."""

import inspect
from itertools import count
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.python_client import generate
from bff_core.contracts.openapi import parse
from tests.codegen.python_client.serving import imported, written

_numbers = count()


@pytest.fixture
def client_of(tmp_path: Path):
    """Return a function that generates and imports the client of a schema."""

    def make(schema: dict, **more: object) -> ModuleType:
        reply = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
        operation = {"operationId": "get_it", "responses": reply}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "A", "version": "2.1"},
            "paths": {"/it": {"get": operation}},
            **more,
        }
        name = f"sample{next(_numbers)}"
        files = generate(parse(document), ClientOptions(gateway=name))
        return imported(f"{name}_client", written(files, tmp_path) / f"{name}-client")

    return make


def read(client: ModuleType, body: str) -> object:
    """Decode an answer as the client does."""
    readers = next(
        value for name, value in vars(client.async_client._readers).items() if name == "GET_IT"
    )
    return readers[200](body.encode())


def test_an_optional_member_may_be_unset_or_null(client_of):
    """A body that sets it to null sends null; one that leaves it out sends nothing."""
    client = client_of(
        {
            "type": "object",
            "title": "Note",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "readOnly": True},
                "text": {"type": ["string", "null"]},
                "size": {"type": "integer"},
                "moreText": {"type": "string"},
            },
        }
    )
    note = client.models.GetItAnswer

    assert msgspec.json.encode(note()) == b"{}"
    assert msgspec.json.encode(note(text=None, more_text="a")) == b'{"text":null,"moreText":"a"}'
    assert read(client, '{"id": "1", "text": null, "new": [1]}') == note(id="1", text=None)


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "null", None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "1", 1),
        ({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string"}]}, '"a"', "a"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {}], "items": False},
            '["a", 1]',
            ("a", 1),
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, '{"a": 1}', {"a": 1}),
        ({"const": "a"}, '"a"', "a"),
        ({"enum": [1, 2]}, "2", 2),
        ({}, '{"a": [null]}', {"a": [None]}),
        (
            {"oneOf": [{"type": "object", "properties": {name: {}}} for name in "ab"]},
            '{"b": 1}',
            {"b": 1},
        ),
    ],
)
def test_values_are_read(client_of, schema, body, expected):
    """Objects without a tag that distinguishes them are dictionaries."""
    assert read(client_of(schema), body) == expected


def test_a_recursive_type_is_one_class(client_of):
    """Trees are common."""
    itself = {"$ref": "#/components/schemas/Tree"}
    tree = {"type": "object", "properties": {"kids": {"type": "array", "items": itself}}}
    client = client_of(itself, components={"schemas": {"Tree": tree}})

    found = read(client, '{"kids": [{"kids": []}]}')

    assert found == client.models.Tree(kids=[client.models.Tree(kids=[])])


def test_a_discriminator_decides(client_of):
    """With the values of its mapping."""
    kinds = {
        name: {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
        for name in ("Cat", "Dog")
    }
    union = {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in kinds],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"meow": "#/components/schemas/Cat", "woof": "#/components/schemas/Dog"},
        },
    }
    client = client_of(union, components={"schemas": kinds})

    assert isinstance(read(client, '{"kind": "woof"}'), client.models.Dog)
    assert isinstance(read(client, '{"kind": "meow"}'), client.models.Cat)


def test_a_new_value_of_an_enum_is_a_text(client_of):
    """An app of last year still reads the answers of today."""
    client = client_of({"type": "array", "items": {"type": "string", "enum": ["paid", "sent"]}})
    paid, returned = read(client, '["paid", "returned"]')

    assert paid is client.models.GetItAnswerItem.PAID
    assert returned == "returned"
    assert returned not in list(client.models.GetItAnswerItem)


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-API-Key"}, ("X-API-Key", "")),
        ({"type": "http", "scheme": "bearer"}, ("Authorization", "Bearer ")),
        ({"type": "apiKey", "in": "cookie", "name": "session"}, ("Authorization", "Bearer ")),
    ],
)
def test_the_token_goes_where_the_gateway_reads_it(client_of, scheme, sent):
    """A key has no scheme before it."""
    client = client_of({}, components={"securitySchemes": {"one": scheme}})
    [kind] = [one for name, one in vars(client).items() if name.startswith("AsyncSample")]
    caller = kind("http://gateway")._caller

    assert (caller._token_header, caller._token_prefix) == sent


def test_parameters_that_the_client_sets_are_not_offered(kiosk, kiosk_files):
    """`_meta` and the key; values that may have slashes are written as segments."""
    write = inspect.signature(kiosk.KioskClient.post_order)
    load = inspect.signature(kiosk.KioskClient.get_home)

    assert list(write.parameters) == ["self", "body", "call", "settings"]
    assert list(load.parameters) == ["self", "down", "settings"]
    code = kiosk_files["kiosk-client/kiosk_client/sync_client.py"]
    assert "_encoding.path_segments(name)" in code
    assert "_encoding.path_segment(shelf_id)" in code
