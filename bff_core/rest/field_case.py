"""`Views(case="camel")`: fields have camelCase names in JSON and in OpenAPI.

Names are decided when a view is declared: the core schema of its types, which pydantic reads and
writes by, gets an alias for each field. A name that the author has chosen (`Field(alias=...)`, an
alias generator, `rename=` of a Struct) stays. Keys of dictionaries are data and stay.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_plain_validator_function

from bff_core.compat.pydantic import validator_for, with_inner
from bff_core.edge.strict_numbers import strict_schema
from bff_core.errors import ConfigurationError

Case = Literal["camel"]

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


def camel_schema(schema: Any) -> Any:
    """Return a copy of a core schema whose fields have aliases in camelCase.

    Raises `ConfigurationError` for two fields of a class that would have one name.
    """
    copy = with_inner(schema, camel_schema)
    kind, fields = copy.get("type"), copy.get("fields", {})
    if kind in {"model-fields", "typed-dict"}:
        copy["fields"] = {name: _renamed(name, one) for name, one in fields.items()}
        _check(copy, copy["fields"])
    elif kind == "dataclass-args":
        copy["fields"] = [_renamed(one["name"], one) for one in fields]
        _check(copy, {one["name"]: one for one in copy["fields"]})
    if "computed_fields" in copy:
        copy["computed_fields"] = [
            {"alias": camel(one["property_name"])} | one for one in copy["computed_fields"]
        ]
    return copy


def _renamed(name: str, field: dict[str, Any]) -> dict[str, Any]:
    alias = camel(name)
    if alias == name:
        return field
    return {"validation_alias": alias, "serialization_alias": alias} | field


def _check(schema: dict[str, Any], fields: dict[str, dict[str, Any]]) -> None:
    taken: dict[object, str] = {}
    for name, field in fields.items():
        alias = field.get("serialization_alias", name)
        other = taken.setdefault(alias, name)
        if other != name:
            kind = schema.get("cls_name") or schema.get("dataclass_name") or "a type"
            raise ConfigurationError(
                f"{kind}: the fields {other} and {name} are both {alias} in camelCase: rename one"
            )


def camel_answer(declared: Any) -> type:
    """Return a class for OpenAPI, which has the schema of a type with names in camelCase.

    A class, because only the schema of a class may come with definitions, such as those of a type
    that holds itself; and because FastAPI also documents models that it finds inside a type.
    """

    class WrittenInCamelCase:
        @classmethod
        def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
            documented: CoreSchema = _documented(TypeAdapter(declared).core_schema)
            return documented

    return WrittenInCamelCase


def camel_body(declared: Any) -> type:
    """Return a class that FastAPI reads a body by: values of a type, with names in camelCase.

    It validates by itself: pydantic would read nested models by validators that they have already.
    """
    schema = strict_schema(camel_schema(TypeAdapter(declared).core_schema))
    validator, documented = validator_for(schema), camel_answer(declared)

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


def has_names(declared: Any) -> bool:
    """Whether a type has a field with another name in camelCase."""
    schema = TypeAdapter(declared).core_schema
    return bool(camel_schema(schema) != schema)


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
