"""msgspec Structs as results: as allowed by the docs, in answers, streams and OpenAPI.

Plain FastAPI takes none, so that these are compared with what msgspec writes of the declared type.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType
from openapi_spec_validator import validate
from pydantic import BaseModel

from bff_core import ConfigurationError, Views
from tests.rest.conformance.three_ways import OTHER_WAYS, Ask, answer_of, serving

T = TypeVar("T")


class Cat(Struct, tag=True, rename="camel"):
    """A cat."""

    full_name: str
    kitten: "Cat | None" = None


class Dog(Struct, tag="dog", tag_field="kind"):
    """A dog."""

    age: Annotated[int, Meta(ge=0, description="In years")] = 0


class Bird(Struct, tag="bird", tag_field="kind"):
    """A bird."""

    wings: int = 2


class Plain(Struct):
    """A Struct without a tag."""

    name: str


class Wider(Plain):
    """The same with a secret."""

    password: str = "secret"


class Lean(Struct, omit_defaults=True):
    """Fields that may be left out."""

    a: int = 1
    b: int | UnsetType = UNSET
    c: str | None = None


class Pair(Struct, array_like=True):
    """A Struct that is a list in JSON."""

    x: int
    y: int


class Page(Struct, Generic[T]):
    """A generic list."""

    items: Sequence[T]


@dataclass
class Shelter:
    """A dataclass around Structs."""

    cats: list[Cat]
    others: Sequence[Dog | Bird] = ()
    named: Plain | None = None


@dataclass
class Row:
    """An object with more fields."""

    name: str
    password: str = "secret"


WIDE = Wider("Ada")
RETURNED = {
    "Struct": (Plain, Plain("Ada"), '{"name":"Ada"}'),
    "subclass": (Plain, WIDE, '{"name":"Ada"}'),
    "list": (list[Plain], [WIDE, Plain("B")], '[{"name":"Ada"},{"name":"B"}]'),
    "dict": (dict[str, Plain], {"a": WIDE}, '{"a":{"name":"Ada"}}'),
    "optional": (Plain | None, WIDE, '{"name":"Ada"}'),
    "none": (Plain | None, None, "null"),
    "object with more fields": (Plain, Row("Ada"), '{"name":"Ada"}'),
    "dict with more keys": (Plain, {"name": "Ada", "password": "secret"}, '{"name":"Ada"}'),
    "text with braces": (Plain, Plain("{"), '{"name":"{"}'),
    "renamed and tagged": (
        Cat,
        Cat("A", Cat("B")),
        '{"type":"Cat","fullName":"A","kitten":{"type":"Cat","fullName":"B","kitten":null}}',
    ),
    "tagged union": (
        list[Dog | Bird],
        [Dog(3), Bird()],
        '[{"kind":"dog","age":3},{"kind":"bird","wings":2}]',
    ),
    "nested in a dataclass": (
        Shelter,
        Shelter([], [Bird()], WIDE),
        '{"cats":[],"others":[{"kind":"bird","wings":2}],"named":{"name":"Ada"}}',
    ),
    "without defaults": (Lean, Lean(), "{}"),
    "with values": (Lean, Lean(2, 3, "c"), '{"a":2,"b":3,"c":"c"}'),
    "as a list": (Pair, Pair(1, 2), "[1,2]"),
    "generic": (Page[Plain], Page([WIDE]), '{"items":[{"name":"Ada"}]}'),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("kind", ["get", "stream"])
@pytest.mark.parametrize(("declared", "returned", "sent"), RETURNED.values(), ids=RETURNED)
async def test_struct_is_sent_as_declared(way, kind, declared, returned, sent):
    """Names, tags and defaults are those of msgspec; undeclared fields are not sent."""
    answer = await answer_of(way, _declared(declared, returned, kind))

    assert (answer.status_code, answer.text.rstrip("\n")) == (200, sent)


def _declared(declared, returned, kind="get"):
    def declare(routes):
        async def x():
            return returned

        async def lines():
            yield returned

        x.__annotations__ = {"return": declared}
        lines.__annotations__ = {"return": AsyncIterator[declared]}
        getattr(routes, kind)("/x")(lines if kind == "stream" else x)
        return Ask(is_compiled=kind != "stream")

    return declare


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["get", "stream"])
@pytest.mark.parametrize(("declared", "returned", "sent"), RETURNED.values(), ids=RETURNED)
async def test_openapi_describes_what_is_sent(kind, declared, returned, sent):
    """The schema has the encoded names of the fields, and their tags."""
    async with serving("the fast path", _declared(declared, returned, kind)) as (served, _):
        document = (await served.client.get("/openapi.json")).json()

    validate(document)
    [media] = _success(document)["content"].items() if kind == "stream" else [_json(document)]
    schema = _inlined(media[1]["schema"], document)
    assert _fits(msgspec.json.decode(sent), schema)


def _success(document):
    return document["paths"]["/x"]["get"]["responses"]["200"]


def _json(document):
    return "application/json", _success(document)["content"]["application/json"]


def _inlined(schema, document):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return {"components": document["components"]} | schema


def _fits(value, schema):
    """Whether a value has exactly the fields of a schema; a small part of JSON Schema."""
    schema = _inlined(schema, schema) if "$ref" in schema else schema
    parts = schema.get("components", {})

    def inner(one):
        return {"components": parts} | one

    if "anyOf" in schema or "oneOf" in schema:
        return any(_fits(value, inner(one)) for one in schema.get("anyOf") or schema["oneOf"])
    if "const" in schema:
        return value == schema["const"]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        known = schema["properties"]
        return (
            isinstance(value, dict)
            and set(schema.get("required", ())) <= value.keys() <= known.keys()
            and all(_fits(one, inner(known[name])) for name, one in value.items())
        )
    if kind == "object":
        values = inner(schema["additionalProperties"])
        return isinstance(value, dict) and all(_fits(one, values) for one in value.values())
    if kind == "array":
        each = schema.get("prefixItems") or [schema["items"]] * len(value)
        return all(_fits(one, inner(item)) for one, item in zip(value, each, strict=True))
    types = {"string": str, "integer": int, "null": type(None)}
    return kind is None or isinstance(value, types[kind])


async def test_constraints_and_names_are_in_openapi():
    """The schema has the constraints of msgspec's `Meta`; each Struct is there once."""

    def declare(routes):
        for path in ("/a", "/b"):

            @routes.get(path)
            async def x() -> list[Dog]:
                return []

        return Ask()

    async with serving("the fast path", declare) as (served, _):
        schemas = (await served.client.get("/openapi.json")).json()["components"]["schemas"]

    [name] = [one for one in schemas if "Dog" in one]
    dog = schemas[name]
    assert (name, dog["description"], dog["required"]) == ("Dog", "A dog.", ["kind"])
    assert dog["properties"]["age"]["minimum"] == 0
    assert dog["properties"]["age"]["description"] == "In years"


@dataclass
class Mixed:
    """A Struct and a pydantic model at once."""

    a: Plain
    b: "Model"


class Model(BaseModel):
    """A pydantic model."""

    name: str


class Loose:
    """A class that no library supports."""


class Unknown(Struct):
    """A Struct with a field that has no JSON form."""

    loose: Loose


@pytest.mark.parametrize("declared", [Mixed, Unknown, list[Plain | Model]])
def test_mixture_is_refused_when_it_is_declared(declared):
    """No library can filter both."""

    async def x():
        return None

    x.__annotations__ = {"return": declared}
    with pytest.raises(ConfigurationError, match="x"):
        Views().get("/x")(x)


def test_options_of_pydantic_are_refused():
    """`response_model_exclude_none` has no effect on Structs; the message says what has."""
    with pytest.raises(ConfigurationError, match="omit_defaults"):

        @Views().get("/x", response_model_exclude_none=True)
        async def x() -> Plain:
            return Plain("")
