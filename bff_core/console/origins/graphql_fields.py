"""Which part each field of a GraphQL answer comes from, as the schema declares it.

`part()` names the part of a field, and what is selected below it is read from the part's value. The
value of a resolver is that of a part if it awaits just one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
)

from bff_core.compat.strawberry import graphql_schema
from bff_core.console.origins.json_places import ANY
from bff_core.console.origins.learned import UNKNOWN, Learned
from bff_core.gateway.app import Gateway
from bff_core.graphql.face import GraphQL
from bff_core.inspection.graphql_fields import GraphQLField
from bff_core.inspection.steps import InOrder, PartWait, leaves

MAX_FIELDS: Final = 20_000
"""Selections that are walked, those of a fragment each time it is used."""

Outer = GraphQLObjectType | GraphQLInterfaceType


def parts_of_query(app: Gateway, path: str, query: str, operation: str = "") -> Learned | None:
    """Return the part of each pattern of the answer to a query; None if it is not a valid one.

    `path` is that of the GraphQL endpoint. With several operations, `operation` names one.
    """
    face = next(
        (one for one in app.config.faces if isinstance(one, GraphQL) and one.path == path), None
    )
    if face is None:
        return None
    try:
        document = parse(query)
    except GraphQLError:
        return None
    chosen = _operation(document, operation)
    schema = graphql_schema(face.schema)
    if chosen is None or schema.query_type is None:
        return None
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    walk = _Walk(schema, fragments)
    try:
        walk.select(chosen.selection_set, schema.query_type, "/data", UNKNOWN)
    except (_TooManyFields, RecursionError):
        return None
    return Learned(walk.parts, frozenset(walk.edges))


def _operation(document: DocumentNode, name: str) -> OperationDefinitionNode | None:
    """Return the query of a name, or the only one; None for a mutation."""
    found = [
        one
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
        and (not name or (one.name is not None and one.name.value == name))
    ]
    return found[0] if len(found) == 1 and found[0].operation.value == "query" else None


class _TooManyFields(Exception):
    """The fragments of a query unfold to too many fields."""


@dataclass(slots=True)
class _Walk:
    """Walks the selections of a query, with the part that is around them."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    parts: dict[str, str] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)
    chosen: dict[str, str] = field(default_factory=dict)
    left: int = MAX_FIELDS

    def select(self, selected: SelectionSetNode, kind: Outer, place: str, outer: str) -> None:
        """Add the parts of all fields of a selection."""
        for one in selected.selections:
            self.left -= 1
            if self.left < 0:
                raise _TooManyFields
            if isinstance(one, FieldNode):
                self._field(one, kind, place, outer)
                continue
            if isinstance(one, FragmentSpreadNode):
                fragment = self.fragments.get(one.name.value)
                if fragment is None:
                    continue
                condition, inner = fragment.type_condition.name.value, fragment.selection_set
            else:
                assert isinstance(one, InlineFragmentNode)  # noqa: S101 - there is no fourth kind
                named = one.type_condition
                condition = kind.name if named is None else named.name.value
                inner = one.selection_set
            within = self.schema.type_map.get(condition)
            if isinstance(within, Outer):
                self.select(inner, within, place, outer)

    def _field(self, node: FieldNode, kind: Outer, place: str, outer: str) -> None:
        name = node.name.value
        found = kind.fields.get(name)
        here = f"{place}/{(node.alias or node.name).value}"
        if found is None:  # `__typename`
            return
        part = _part_of(GraphQLField(self.schema, kind.name, name, found, ()), outer)
        if self.chosen.setdefault(here, part) != part:  # of several types, each with its part
            part = self.parts[here] = UNKNOWN
        if part != outer:
            self.parts[here] = part
            if part and outer:
                self.edges.add((outer, part))
        declared = found.type
        while isinstance(declared, GraphQLNonNull | GraphQLList):
            here += f"/{ANY}" if isinstance(declared, GraphQLList) else ""
            declared = declared.of_type
        inner = get_named_type(found.type)
        if node.selection_set is not None and isinstance(inner, Outer):
            self.select(node.selection_set, inner, here, part)


def _part_of(one: GraphQLField, outer: str) -> str:
    """Return the part that gives the value of a field; that around it if it is read from there."""
    if one.screens and one.step == InOrder():
        return UNKNOWN  # it composes a screen
    if one.step == InOrder():
        return outer
    awaited = {leaf.part.name for leaf in leaves(one.step) if isinstance(leaf, PartWait)}
    return awaited.pop() if len(awaited) == 1 else UNKNOWN
