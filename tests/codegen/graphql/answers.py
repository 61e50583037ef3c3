"""Answers documents by a schema alone: each field has a value of its type, unions every type."""

from collections import Counter
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    default_field_resolver,
    graphql_sync,
    is_abstract_type,
    is_leaf_type,
    parse,
)

TEXTS = {
    "DateTime": "2026-01-02T03:04:05Z",
    "PreciseDateTime": "2026-01-02T03:04:05.123456Z",
    "Date": "2026-01-02",
    "UUID": "0189f7e0-7b1a-7000-8000-000000000000",
    "Money": "9.90",
}
VALUES: dict[str, object] = {"Int": 7, "BigInt": 2**40, "Float": 1.5, "Boolean": True}

ITEMS = 3


class Answers:
    """Resolves fields; every fourth value that may be null is null."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._turns: Counter[str] = Counter()

    def answer(self, document: str, variables: dict[str, object]) -> dict[str, Any]:
        """Return the data of a document."""
        result = graphql_sync(
            self._schema,
            document,
            variable_values=variables,
            field_resolver=self._field,
            type_resolver=self._type,
        )
        assert result.errors is None, result.errors
        return result.data

    def _turn(self, name: str, many: int) -> int:
        self._turns[name] += 1
        return self._turns[name] % many

    def _field(self, source: Any, info: Any, **arguments: object) -> object:
        if info.field_name.startswith("__"):
            return default_field_resolver(source, info, **arguments)
        return self._value(info.return_type)

    def _value(self, kind: Any) -> object:
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type)
        return None if self._turn("null", 4) == 0 else self._present(kind)

    def _present(self, kind: Any) -> object:
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type) for _ in range(ITEMS)]
        if isinstance(kind, GraphQLEnumType):
            names = list(kind.values)
            return kind.values[names[self._turn(kind.name, len(names))]].value
        if is_leaf_type(kind):
            return VALUES.get(kind.name, TEXTS.get(kind.name, "text"))
        return {}

    def _type(self, _value: object, _info: Any, kind: Any) -> str:
        assert is_abstract_type(kind)
        names = sorted(one.name for one in self._schema.get_possible_types(kind))
        return names[self._turn(kind.name, len(names))]


def variables_of(schema: GraphQLSchema, document: str) -> dict[str, object]:
    """Return a value for each required variable of a document that is a scalar or a list."""
    given: dict[str, object] = {}
    for one in parse(document).definitions[0].variable_definitions or ():  # type: ignore[attr-defined]  # an operation
        text = one.type.loc.source.body[one.type.loc.start : one.type.loc.end]
        name = text.strip("[]!")
        kind = schema.type_map[name]
        if not text.endswith("!"):
            continue
        value: object = VALUES.get(name, TEXTS.get(name, "text"))
        if isinstance(kind, GraphQLEnumType):
            value = next(iter(kind.values))
        given[one.variable.name.value] = [value] if text.startswith("[") else value
    return given
