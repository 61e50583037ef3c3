"""JSON Schemas of the types of a contract, and validators of values by them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from bff_core.contracts.document import NamedType
from bff_core.contracts.types import (
    Array,
    Enum,
    Json,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)
from bff_core.extras import needs

with needs("openapi", "the mock of a service"):
    import jsonschema_rs

Direction = Literal["request", "response"]
Schema = dict[str, Any]

MAX_FAULTS: Final = 10
"""Faults of a value that are reported."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """Why a value is not of its type. `place` are the keys and indexes that lead to it."""

    place: tuple[str | int, ...]
    message: str


class Schemas:
    """Validates values by the types of a contract, of which `types` are the named ones."""

    def __init__(self, types: Mapping[str, NamedType]) -> None:
        self._types = types
        self._validators: dict[tuple[int, Direction], tuple[Type, Any]] = {}

    def faults(self, kind: Type, value: Json, direction: Direction) -> Sequence[SchemaFault]:
        """Return why a value is not of a type; none if it is."""
        known = self._validators.get((id(kind), direction))
        if known is None:
            known = kind, self._validator(kind, direction)
            self._validators[id(kind), direction] = known  # the type is held: its id stays its own
        if known[1] is None:
            return ()
        found = _limited(known[1].iter_errors(value))
        return [SchemaFault(tuple(one.instance_path), one.message) for one in found]

    def is_example(self, kind: Type, value: Json) -> bool:
        """Whether an example of a reply is of its type."""
        return not self.faults(kind, value, "response")

    def _validator(self, kind: Type, direction: Direction) -> Any:
        """Return the validator of a type; None if its schema is not one: all values are right."""
        definitions: Schema = {}
        schema = self._schema(kind, direction, definitions)
        while pending := [name for name, one in definitions.items() if one is None]:
            for name in pending:  # one after the other: chains of types may be long
                definitions[name] = self._schema(self._types[name].type, direction, definitions)
        document = {"$schema": DIALECT, **schema, "$defs": definitions}
        try:
            return jsonschema_rs.validator_for(document, validate_formats=True)
        except (ValueError, jsonschema_rs.ValidationError):  # such as a pattern that is none
            return None

    def _schema(self, kind: Type, direction: Direction, known: Schema) -> Schema:  # noqa: C901, PLR0911 # one branch for each type
        def inner(one: Type) -> Schema:
            return self._schema(one, direction, known)

        match kind:
            case Ref(name):
                return self._reference(name, known)
            case Nullable(of):
                return {"anyOf": [{"type": "null"}, inner(of)]}
            case Enum(values):
                return {"enum": [*values]}
            case Scalar():
                return _scalar(kind)
            case Array(items):
                return {"type": "array", "items": inner(items), **kind.limits}
            case Tuple(items):
                return {"type": "array", "prefixItems": [inner(one) for one in items]}
            case Map(values):
                return {"type": "object", "additionalProperties": inner(values), **kind.limits}
            case ObjectType():
                return self._object(kind, direction, known)
            case Union(options, discriminator):
                schema: Schema = {"anyOf": [inner(one) for one in options]} if options else {}
                if discriminator is not None and direction == "request":
                    schema["required"] = [discriminator.property]
                return schema
        return {}

    def _reference(self, name: str, known: Schema) -> Schema:
        if name not in self._types:
            return {}
        known.setdefault(name, None)
        pointer = quote(name.replace("~", "~0").replace("/", "~1"), safe="")
        return {"$ref": f"#/$defs/{pointer}"}

    def _object(self, kind: ObjectType, direction: Direction, known: Schema) -> Schema:
        absent = "is_read_only" if direction == "request" else "is_write_only"
        required = [one.name for one in kind.fields if one.is_required and not getattr(one, absent)]
        schema: Schema = {
            "type": "object",
            "properties": {
                one.name: self._schema(one.type, direction, known) for one in kind.fields
            },
            "required": required,
        }
        if kind.is_closed:
            schema["additionalProperties"] = False
        elif kind.others is not None:
            schema["additionalProperties"] = self._schema(kind.others, direction, known)
        return schema


def _scalar(kind: Scalar) -> Schema:
    if kind.kind == "binary":
        return {}
    schema: Schema = {"type": kind.kind, **kind.limits}
    if kind.format and kind.kind == "string":
        schema["format"] = kind.format
    for keyword, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(keyword) is True and limit in schema:  # as OpenAPI 3.0 writes it
            schema[keyword] = schema.pop(limit)
        elif isinstance(schema.get(keyword), bool):
            del schema[keyword]
    return schema


def _limited(errors: Any) -> Iterator[Any]:
    for _, error in zip(range(MAX_FAULTS), errors, strict=False):
        yield error
