"""`Views(case="camel")`: fields have camelCase names in JSON and in OpenAPI.

Names are decided when a view is declared: the core schema of its types, which pydantic reads and
writes by, gets an alias for each field. A name that the author has chosen (`Field(alias=...)`, an
alias generator, `rename=` of a Struct) stays. Keys of dictionaries are data and stay.
"""

import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import lru_cache, partial
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    TypeAdapter,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, SchemaSerializer
from pydantic_core.core_schema import (
    no_info_plain_validator_function,
    plain_serializer_function_ser_schema,
    wrap_serializer_function_ser_schema,
)

from bff_core.compat.pydantic import serializer_of, validator_for, with_inner, with_title
from bff_core.edge.strict_numbers import strict_schema
from bff_core.errors import ConfigurationError
from bff_core.rest.name_collisions import Renamed, names_read, refuse_collisions

Case = Literal["camel"]

_WITH_FIELDS: Final = frozenset({"model-fields", "typed-dict", "dataclass-args"})

_ID: Final = re.compile(r":(\d+)")
"""The id of a class in the reference of its schema: `shop.views.Cart:94123`."""


def checked_case(case: Case | None) -> Case | None:
    """Return the `case=` option of views; raise `ConfigurationError` for an unknown one."""
    if case is None or case == "camel":
        return case
    raise ConfigurationError(
        f'Views(case={case!r}): give case="camel", or leave it out for the names in Python'
    )


def camel(name: str) -> str:
    """Return a name in camelCase: `list_price` is `listPrice`."""
    return to_camel(name)


def camel_schema(schema: Any, *, is_written: bool = False) -> Any:
    """Return a copy of a core schema whose fields have aliases in camelCase.

    A union of tagged classes reads the tag under its alias. If the schema `is_written`, pydantic
    finds the tag of a value by its name in Python. Raises `ConfigurationError` for two fields of a
    class that would have one name.
    """
    if is_written and schema.get("serialization") == {"type": "any"}:  # `SerializeAsAny`
        return schema | {"serialization": _BY_CLASS}
    copy = with_inner(schema, partial(camel_schema, is_written=is_written))
    kind, fields = copy.get("type"), copy.get("fields", {})
    if kind in {"model-fields", "typed-dict"}:
        copy["fields"] = {name: _renamed(name, one) for name, one in fields.items()}
    elif kind == "dataclass-args":
        copy["fields"] = [_renamed(one["name"], one) for one in fields]
    elif kind == "tagged-union" and not is_written:
        copy["discriminator"] = _discriminator(schema)
    if "computed_fields" in copy:
        copy["computed_fields"] = [
            {"alias": camel(one["property_name"])} | one for one in copy["computed_fields"]
        ]
    if kind in _WITH_FIELDS:
        _check(schema, copy)
    is_open = copy.get("config", {}).get("extra_fields_behavior") == "allow"
    if kind == "model" and is_open and is_written and copy["schema"] != schema["schema"]:
        return _extra_once(copy) | copy
    return copy


def _discriminator(schema: dict[str, Any]) -> object:
    """Return the name of the field by which a union is decided, renamed as the field is."""
    found = schema["discriminator"]
    chosen = [one.get("validation_alias") for node in _nodes(schema) for one in _fields(node)]
    return camel(found) if isinstance(found, str) and found not in chosen else found


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    fields = schema.get("fields", {})
    members = fields.values() if isinstance(fields, dict) else fields
    return [one for one in members if isinstance(one, dict)]


def _renamed(name: str, field: dict[str, Any]) -> dict[str, Any]:
    alias = camel(name)
    if alias == name:
        return field
    is_chosen = "validation_alias" in field or "serialization_alias" in field
    title = None if is_chosen else title_of(name, field)
    renamed = {"validation_alias": alias, "serialization_alias": alias} | field
    return renamed if title is None else with_title(renamed, title)


def title_of(name: str, schema: Any) -> str | None:
    """Return the title of a field in OpenAPI: that of its name in Python, as without a case.

    None if its type has a title of its own, such as a class.
    """
    generator = GenerateJsonSchema()
    if not generator.field_title_should_be_set(schema):
        return None
    return generator.get_title_from_name(name)


def _check(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Raise `ConfigurationError` for two fields of a class that would have one name."""
    kind = after.get("cls_name") or after.get("dataclass_name") or after.get("model_name")
    what, old, new = f"{kind or 'a type'}: the fields", _members(before), _members(after)
    written = [
        Renamed(
            name, one.get("serialization_alias", name), new[name].get("serialization_alias", name)
        )
        for name, one in old.items()
    ]
    computed = zip(before.get("computed_fields", ()), after.get("computed_fields", ()), strict=True)
    for was, now in computed:
        name = was["property_name"]
        written.append(Renamed(name, was.get("alias", name), now["alias"]))
    refuse_collisions(what, written)
    read = [
        Renamed(name, plain, sent)
        for name in old
        for plain, sent in zip(
            names_read(old[name].get("validation_alias"), name),
            names_read(new[name].get("validation_alias"), name),
            strict=True,
        )
    ]
    refuse_collisions(what, read)


def _members(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a class by their names in Python."""
    fields = schema["fields"]
    return fields if isinstance(fields, dict) else {one["name"]: one for one in fields}


def _extra_once(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model with `extra="allow"` that writes no extra under the name of a field."""
    fields = next(one for one in _nodes(model) if one.get("type") == "model-fields")
    taken = {one.get("serialization_alias", name) for name, one in _members(fields).items()}

    def write(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
        if value.model_extra and not taken.isdisjoint(value.model_extra):
            value = value.model_copy()
            for name in taken & value.model_extra.keys():
                del value.model_extra[name]
        return handler(value)

    return model | {"serialization": wrap_serializer_function_ser_schema(write)}


_OPTIONS: Final = (
    "mode", "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none",
)  # fmt: skip


@lru_cache(maxsize=512)
def _serializer_of(kind: Any) -> SchemaSerializer:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return serializer_of(camel_schema(adapter.core_schema, is_written=True))


def _as_its_class(value: Any, info: SerializationInfo) -> Any:
    """Return a value of `SerializeAsAny` with all fields of its own class, renamed."""
    if not (isinstance(value, BaseModel) or is_dataclass(value)):
        return value
    kind: Any = type(value)
    options: Any = {name: getattr(info, name) for name in _OPTIONS}
    return _serializer_of(kind).to_python(value, **options)


_BY_CLASS: Final = plain_serializer_function_ser_schema(_as_its_class, info_arg=True)


def camel_answer(schema: Any) -> type:
    """Return a class for OpenAPI, which has a core schema with names in camelCase.

    A class, because only the schema of a class may come with definitions, such as those of a type
    that holds itself; and because FastAPI also documents models that it finds inside a type.
    """

    class WrittenInCamelCase:
        @classmethod
        def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
            documented: CoreSchema = _documented(schema)
            return documented

    return WrittenInCamelCase


def in_case(response: dict[str, Any]) -> dict[str, Any]:
    """Return a documented answer (FastAPI's `responses=`) whose model has names in camelCase."""
    model = response.get("model")
    if model is None:
        return response
    return response | {"model": camel_answer(TypeAdapter(model).core_schema)}


def camel_body(schema: Any) -> type:
    """Return a class by which FastAPI reads a body: by a core schema with names in camelCase.

    It validates by itself: pydantic would read nested models by validators that they have already.
    """
    validator = validator_for(strict_schema(camel_schema(schema)))
    documented = camel_answer(schema)

    class ReadInCamelCase:
        @classmethod
        def __get_pydantic_core_schema__(
            cls, _: object, handler: GetCoreSchemaHandler
        ) -> CoreSchema:
            return no_info_plain_validator_function(
                validator.validate_python,
                json_schema_input_schema=handler.generate_schema(documented),
            )

    return ReadInCamelCase


def _documented(schema: Any) -> Any:
    """Return the renamed copy of a schema; what differs has references of its own.

    The same class may be in OpenAPI under both names, that of other views included.
    """
    definitions = {one["ref"]: one for one in _nodes(schema) if "ref" in one}
    changed: set[str] = set()
    while True:
        found = {ref for ref, one in definitions.items() if _differs(one, changed)}
        if found == changed:
            return _referring(camel_schema(schema), changed)
        changed = found


def _nodes(schema: Any) -> Iterator[Any]:
    """Yield a core schema, and those in it."""
    found = [schema]

    def add(inner: Any) -> Any:
        found.append(inner)
        return inner

    while found:
        one = found.pop()
        yield one
        with_inner(one, add)


def _differs(schema: Any, changed: set[str]) -> bool:
    return camel_schema(schema) != schema or any(
        one.get("schema_ref") in changed for one in _nodes(schema)
    )


def _referring(schema: Any, changed: set[str]) -> Any:
    copy = with_inner(schema, lambda inner: _referring(inner, changed))
    for member in ("ref", "schema_ref"):
        if copy.get(member) in changed:
            copy[member] = _ID.sub(r":\1camel", copy[member])
    return copy
