"""Writes the first document of a service from its schema, for the user to edit."""

from collections.abc import Iterator
from typing import Final

from bff_core.codegen.names import UniqueNames, pascal
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        GraphQLField,
        GraphQLInterfaceType,
        GraphQLNamedType,
        GraphQLNonNull,
        GraphQLObjectType,
        GraphQLSchema,
        GraphQLUnionType,
        Undefined,
        get_named_type,
        is_leaf_type,
        parse,
        print_ast,
    )

MAX_OPERATIONS: Final = 25
"""How many operations a starter has at most."""

MAX_MEMBERS: Final = 6
"""How many members of a union a starter reads."""

FILE: Final = "operations/queries.graphql"

_HEAD: Final = """\
# The queries that the service is called with. Edit them, add others, then run the command again:
# each operation becomes a method, and each needs a name of its own.
"""

_PAGING: Final = frozenset({"first", "after"})


def starter(schema: GraphQLSchema) -> str:
    """Return a document with an operation for each field of Query; empty without such fields."""
    query = schema.query_type
    names = UniqueNames()
    found = [
        _operation(schema, name, field, names.take(pascal(name)))
        for name, field in (query.fields if query else {}).items()
        if not name.startswith("_") and not field.deprecation_reason
    ][:MAX_OPERATIONS]
    if not found:
        return ""
    return f"{_HEAD}\n{print_ast(parse(chr(10).join(found)))}\n"


def _operation(schema: GraphQLSchema, name: str, field: GraphQLField, operation: str) -> str:
    kind = get_named_type(field.type)
    is_paged = _is_connection(kind) and field.args.keys() >= _PAGING
    given = [
        (argument, str(one.type))
        for argument, one in field.args.items()
        if (isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined)
        or (is_paged and argument in _PAGING)
    ]
    variables = ", ".join(f"${argument}: {text}" for argument, text in given)
    arguments = ", ".join(f"{argument}: ${argument}" for argument, _ in given)
    head = f"query {operation}{f'({variables})' if variables else ''}"
    call = f"{name}{f'({arguments})' if arguments else ''}"
    return f"{head} {{ {call} {_selected(schema, kind)} }}"


def _selected(schema: GraphQLSchema, kind: GraphQLNamedType) -> str:
    """Return the selection set of a type: its scalars, and one level of a connection."""
    if is_leaf_type(kind):
        return ""
    if _is_connection(kind) and isinstance(kind, GraphQLObjectType):
        edge = get_named_type(kind.fields["edges"].type)
        node = get_named_type(edge.fields["node"].type) if _has(edge, "node") else edge
        inner = _selected(schema, node)
        return f"{{ edges {{ node {inner} }} pageInfo {{ hasNextPage endCursor }} }}"
    if isinstance(kind, GraphQLUnionType):
        members = schema.get_possible_types(kind)[:MAX_MEMBERS]
        known: dict[str, str] = {}
        parts = [f"... on {one.name} {{ {_leaves(one, known)} }}" for one in members]
        return f"{{ __typename {' '.join(parts)} }}"
    return f"{{ {_leaves(kind)} }}"


def _leaves(kind: GraphQLNamedType, known: dict[str, str] | None = None) -> str:
    return " ".join(_names_of_leaves(kind, {} if known is None else known)) or "__typename"


def _names_of_leaves(kind: GraphQLNamedType, known: dict[str, str]) -> Iterator[str]:
    """Yield the scalars of a type, without those of which `known` has another type.

    Members of a union may not have fields of one name and different types in one selection.
    """
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return
    for name, field in kind.fields.items():
        needs_argument = any(
            isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
            for one in field.args.values()
        )
        is_leaf = is_leaf_type(get_named_type(field.type))
        is_wanted = is_leaf and not needs_argument and not field.deprecation_reason
        if is_wanted and known.setdefault(name, str(field.type)) == str(field.type):
            yield name


def _is_connection(kind: GraphQLNamedType) -> bool:
    if not (_has(kind, "edges") and _has(kind, "pageInfo")):
        return False
    edge = get_named_type(kind.fields["edges"].type)  # type: ignore[attr-defined]  # it has fields
    return _has(edge, "node")


def _has(kind: object, field: str) -> bool:
    return field in getattr(kind, "fields", {})
