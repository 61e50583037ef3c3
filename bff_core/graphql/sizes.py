"""Directives that declare the cost of fields and the size of lists: `@cost` and `@listSize`.

The names are those of the GraphQL cost directives specification (IBM). Fields without a directive
get a size by convention, so that the cost of each query is limited.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import strawberry
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    value_from_ast_untyped,
)
from strawberry.schema_directive import Location

from bff_core.compat.strawberry import directives_of
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords

CONVENTIONAL_ARGUMENTS: Final = frozenset({"first", "last", "limit"})
"""Arguments that limit a list without a directive."""

MAX_SIZE: Final = 2**31 - 1
"""The largest Int of GraphQL; larger numbers are not valid."""

D = TypeVar("D")

Variables: TypeAlias = dict[str, object]

Size: TypeAlias = int | Callable[[Variables], int]
"""A number of items, or a function that computes it from the values of the variables."""


@checks_keywords
@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="cost")
class Cost:
    """The cost of one value of a field, without its selection; 1 without this directive.

    A field of `Mutation` costs 10 without it.
    """

    weight: int


@checks_keywords
@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION], name="listSize")
class ListSize:
    """The number of items that a field returns.

    `assumed_size` is the number if no argument gives one. `slicing_arguments` are names of
    arguments in the schema: numbers ("first"), lists whose length counts ("ids"), or fields of
    input objects ("page.size"); the largest counts. `sized_fields` are the lists inside the field's
    type that have this size, if the field is not a list itself ("edges", "items").
    """

    assumed_size: int | None = strawberry.UNSET
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET


@dataclass(frozen=True, slots=True)
class Slice:
    """An argument that limits a list, by its value, or by its length if it `is_list`."""

    path: tuple[str, ...]
    is_list: bool
    default: object

    def value(self, node: FieldNode) -> ValueNode | None:
        """Return the value of the argument in a field of a query."""
        name = self.path[0]
        return next((one.value for one in node.arguments or () if one.name.value == name), None)

    def amount(self, value: ValueNode | None, variables: Variables) -> int | None:
        """Return the number of items; None if the argument does not give one."""
        found = Undefined if value is None else value_from_ast_untyped(value, variables)
        for step in self.path[1:]:
            found = found.get(step, Undefined) if isinstance(found, dict) else found
        if found is Undefined:
            found = self.default
        return _length(found) if self.is_list else _number(found)


@dataclass(frozen=True, slots=True)
class Sizing:
    """The cost and the size of a field of the schema.

    `weight` is the cost of one value. `factor` multiplies the size: more than 1 for lists of lists,
    0 if the field is not a list. `inner` names the lists of the field's type that have its size.
    """

    weight: int
    factor: int
    slices: Sequence[Slice]
    fallback: int
    floor: int
    inner: frozenset[str]

    def size(self, node: FieldNode) -> Size:
        """Return how many items a field of a query returns at most."""
        given = [(one, one.value(node)) for one in self.slices]
        if any(value is not None and _varies(value) for _, value in given):
            return lambda variables: self._size(given, variables)
        return self._size(given, {})

    def _size(self, given: Sequence[tuple[Slice, ValueNode | None]], variables: Variables) -> int:
        amounts = [(one.is_list, one.amount(value, variables)) for one, value in given]
        numbers = [amount for is_list, amount in amounts if amount is not None and not is_list]
        if numbers:
            return max(numbers)
        lengths = [amount for is_list, amount in amounts if amount is not None and is_list]
        return max(self.floor, *lengths) if lengths else self.fallback


def sizing_of(
    schema: GraphQLSchema, where: str, field: GraphQLField, *, weight: int, list_size: int
) -> Sizing:
    """Return the sizing of a field of the schema, by its directives or by convention.

    Raise `ConfigurationError` for a directive that does not fit the field.
    """
    cost, size = _declared(field, Cost), _declared(field, ListSize)
    weight = weight if cost is None else cost.weight
    if weight < 0:
        raise ConfigurationError(f"Cost of {where} must be at least 0, not {weight}")
    factor = list_size ** (_lists(field) - 1) if _lists(field) else 0
    if size is None:
        slices = tuple(_conventional(field))
        inner = _inner_lists(schema, field) if slices and not factor else frozenset()
        return Sizing(weight, factor, slices, list_size, list_size, inner)
    slices = tuple(_slice(where, field, one) for one in size.slicing_arguments or ())
    inner = frozenset(size.sized_fields or ())
    if not inner <= _inner_lists(schema, field):
        raise ConfigurationError(f"ListSize of {where}: its type lacks one of {sorted(inner)}")
    fallback = size.assumed_size or list_size
    if fallback < 0:
        raise ConfigurationError(f"ListSize of {where} must be at least 1, not {fallback}")
    return Sizing(weight, factor, slices, fallback, 0, inner)


def _declared(field: GraphQLField, kind: type[D]) -> D | None:
    return next((one for one in directives_of(field) if isinstance(one, kind)), None)


def _lists(field: GraphQLField) -> int:
    """Return how many lists are around the values of a field."""
    count, kind = 0, field.type
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        count += isinstance(kind, GraphQLList)
        kind = kind.of_type
    return count


def _inner_lists(schema: GraphQLSchema, field: GraphQLField) -> frozenset[str]:
    """Return the names of lists inside a field's type, or inside its possible types."""
    kind = get_named_type(field.type)
    kinds = [*schema.get_possible_types(kind), kind] if is_abstract_type(kind) else [kind]
    return frozenset(
        name
        for one in kinds
        if isinstance(one, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in one.fields.items()
        if _lists(field)
    )


def _conventional(field: GraphQLField) -> Iterator[Slice]:
    for name, argument in field.args.items():
        if name in CONVENTIONAL_ARGUMENTS or _is_list(argument):
            yield Slice((name,), _is_list(argument), argument.default_value)


def _slice(where: str, field: GraphQLField, declared: str) -> Slice:
    first, *rest = declared.split(".")
    found = field.args.get(first)
    for step in rest:
        kind = None if found is None else get_named_type(found.type)
        found = kind.fields.get(step) if isinstance(kind, GraphQLInputObjectType) else None
    if found is None:
        raise ConfigurationError(f"ListSize of {where}: it has no argument {declared!r}")
    return Slice((first, *rest), _is_list(found), found.default_value)


def _is_list(argument: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(get_nullable_type(argument.type), GraphQLList)


def _varies(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_varies, value.values))
        case ObjectValueNode():
            return any(_varies(one.value) for one in value.fields)
    return False


def _length(value: object) -> int | None:
    """Return how many items a list has; GraphQL reads a single value as a list of one item."""
    if value in (None, Undefined, strawberry.UNSET):
        return None
    return len(value) if isinstance(value, list | tuple) else 1


def _number(value: object) -> int | None:
    """Return a number of items from 5, 5.0 or "5": custom scalars may accept any of these.

    None for values that are not numbers, and for numbers below 1.
    """
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:10]) if len(value) <= 10 else MAX_SIZE
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return None
    return min(value, MAX_SIZE)
