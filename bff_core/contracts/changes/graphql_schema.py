"""Reads a GraphQL schema, and which parts of it some operations use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bff_core.contracts.errors import ContractError
from bff_core.extras import needs

with needs("graphql", "to read GraphQL schemas"):
    from graphql import (
        ArgumentNode,
        FieldNode,
        GraphQLError,
        GraphQLInputObjectType,
        GraphQLNamedType,
        GraphQLSchema,
        TypeInfo,
        TypeInfoVisitor,
        VariableDefinitionNode,
        Visitor,
        build_schema,
        get_named_type,
        is_composite_type,
        is_union_type,
        parse,
        type_from_ast,
        visit,
    )


@dataclass(frozen=True, slots=True)
class GraphQLUse:
    """What operations use of a schema, as `OperationUse` has it.

    `reads` has fields, ("Product", "price"), and the enums, scalars and unions that are returned,
    ("Currency",). `sends` has arguments, ("Query", "product", "id"), and the types of variables.
    """

    reads: frozenset[tuple[str, ...]]
    sends: frozenset[tuple[str, ...]]


def parsed_schema(sdl: str) -> GraphQLSchema:
    """Read a schema; directives that it does not define are accepted.

    Raises `ContractError` if the text is no schema.
    """
    try:
        schema = build_schema(sdl, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise ContractError("", [f"this is no GraphQL schema: {error}"]) from None
    if schema.query_type is None:
        raise ContractError("", ["this is no GraphQL schema: it has no type for queries"])
    return schema


def graphql_use(sdl: str, operations: str) -> GraphQLUse:
    """Return what a document of operations uses of a schema.

    Raises `ContractError` if one of the texts can't be read. Fields that the schema lacks are left
    out.
    """
    schema = parsed_schema(sdl)
    try:
        document = parse(operations)
    except GraphQLError as error:
        raise ContractError("", [f"these are no GraphQL operations: {error}"]) from None
    info = TypeInfo(schema)
    collector = _Collector(schema, info)
    visit(document, TypeInfoVisitor(info, collector))
    return GraphQLUse(frozenset(collector.reads), frozenset(collector.sends))


@dataclass
class _Collector(Visitor):
    schema: GraphQLSchema
    info: TypeInfo
    reads: set[tuple[str, ...]] = field(default_factory=set)
    sends: set[tuple[str, ...]] = field(default_factory=set)
    _fields: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._fields.append(node.name.value)
        parent, definition = self.info.get_parent_type(), self.info.get_field_def()
        if parent is None or definition is None:
            return
        self.reads.add((parent.name, node.name.value))
        returned = get_named_type(definition.type)
        if not is_composite_type(returned) or is_union_type(returned):
            self.reads.add((returned.name,))

    def leave_field(self, *_: Any) -> None:
        self._fields.pop()

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        parent = self.info.get_parent_type()
        if parent is not None and self._fields:
            self.sends.add((parent.name, self._fields[-1], node.name.value))
        of = self.info.get_input_type()
        if of is not None:
            self.sends |= set(_names_below(get_named_type(of), set()))

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        of = type_from_ast(self.schema, node.type)
        if of is not None:
            self.sends |= set(_names_below(get_named_type(of), set()))


def _names_below(of: GraphQLNamedType, passed: set[str]) -> Iterator[tuple[str, ...]]:
    """Yield the name of an input type and of those that its fields have."""
    if of.name in passed:
        return
    passed.add(of.name)
    yield (of.name,)
    if isinstance(of, GraphQLInputObjectType):
        for one in of.fields.values():
            yield from _names_below(get_named_type(one.type), passed)
