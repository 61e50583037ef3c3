"""What `bff_core/compat/pydantic.py` needs of pydantic; each test is named after one promise."""

import typing
from dataclasses import dataclass

import pydantic
import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError

from bff_core.compat import pydantic as compat

T = typing.TypeVar("T")


class Inner(BaseModel):
    """A model inside another, which has built a validator and a serializer of its own."""

    price: float


class Outer(BaseModel):
    """A model."""

    inner: Inner


@dataclass
class Plain:
    """A dataclass that pydantic knows nothing of."""

    price: float


@pydantic.dataclasses.dataclass
class Own:
    """A dataclass of pydantic's."""

    price: float


def finite(schema):
    """Return a copy of a core schema whose floats are finite."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(finite, schema))
    if not isinstance(schema, dict):
        return schema
    made = {key: one if key == "cls" else finite(one) for key, one in schema.items()}
    return made | {"allow_inf_nan": False} if made.get("type") == "float" else made


def test_a_changed_core_schema_holds_inside_nested_models():
    """`SchemaValidator(_use_prebuilt=False)` uses no validator that a nested model has built."""
    adapter = TypeAdapter(Outer)

    compat.use_validator(adapter, finite(adapter.core_schema))

    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python({"inner": {"price": "inf"}})


def test_a_changed_serializer_holds_inside_nested_models():
    """`SchemaSerializer(_use_prebuilt=False)` uses no serializer that a nested model has built."""

    def halved(schema):
        if not isinstance(schema, dict):
            return schema
        made = {key: one if key == "cls" else halved(one) for key, one in schema.items()}
        if made.get("type") == "float":
            made["serialization"] = {"type": "function-plain", "function": lambda value: value / 2}
        return made

    adapter = TypeAdapter(Outer)

    compat.use_serializer(adapter, halved(adapter.core_schema))

    assert adapter.dump_json(Outer(inner=Inner(price=4))) == b'{"inner":{"price":2.0}}'


def test_models_and_dataclasses_of_pydantic_have_a_validator():
    """`__pydantic_validator__` validates JSON; only classes of pydantic have it."""
    assert compat.has_validator(Inner)
    assert compat.has_validator(Own)
    assert not compat.has_validator(Plain)
    assert compat.validator_of(Plain) is None
    assert compat.validator_of(Inner).validate_json(b'{"price": 2}') == Inner(price=2)


def test_classes_that_pydantic_writes_are_recognised():
    """A model, a dataclass of pydantic's and a type with a schema of its own are recognised."""

    class Custom:
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return handler(str)

    assert [compat.is_pydantic_class(one) for one in (Inner, Own, Custom, Plain)] == [
        True,
        True,
        True,
        False,
    ]
    assert compat.decides_its_schema(Custom())
    assert not compat.decides_its_schema("text")


def test_an_error_of_serializing_names_its_fields():
    """The text of a `PydanticSerializationError` names fields, which logs show without values."""
    wrong = Outer.model_construct(inner=Inner.model_construct(price="secret"))

    with pytest.raises(PydanticSerializationError) as caught:
        TypeAdapter(Outer).dump_json(wrong, warnings="error")

    assert compat.fields_in(caught.value) == ["price"]


def test_a_strict_validator_leaves_out_what_says_so():
    """`CoreConfig(strict=True)` is a default, which `strict` in a part of a schema overrides."""
    adapter = TypeAdapter(int)

    compat.use_validator(adapter, {"type": "int"}, is_strict=True)
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python("1")

    compat.use_validator(adapter, {"type": "int", "strict": False}, is_strict=True)
    assert adapter.validate_python("1") == 1


def test_a_parametrized_model_has_an_origin():
    """`__pydantic_generic_metadata__` has the class of which `Generic[int]` was made."""

    class Generic(BaseModel, typing.Generic[T]):
        item: T

    assert compat.origin_of_model(Generic[int]) is Generic
    assert [compat.origin_of_model(one) for one in (Generic, Inner)] == [Generic, Inner]


def test_a_field_gets_a_title():
    """`pydantic_js_updates` of a field's metadata is in its JSON Schema; a given title stays."""
    field = {"type": "typed-dict-field", "schema": {"type": "int"}}
    titled = compat.with_title(compat.with_title(field, "Mine"), "Other")

    schema = GenerateJsonSchema().generate({"type": "typed-dict", "fields": {"x": titled}})

    assert schema["properties"]["x"] == {"type": "integer", "title": "Mine"}
