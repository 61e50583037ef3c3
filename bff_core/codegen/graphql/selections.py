"""Which fields does a type have in a selection? Fragments are merged, conditions are noted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        FieldNode,
        FragmentDefinitionNode,
        FragmentSpreadNode,
        GraphQLNamedType,
        GraphQLOutputType,
        GraphQLSchema,
        InlineFragmentNode,
        SelectionSetNode,
        is_abstract_type,
    )

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection set; `is_conditional` if it is skipped or included by a variable."""

    node: SelectionSetNode
    is_conditional: bool = False


@dataclass(slots=True)
class SelectedField:
    """A field of a response under its name there, which is its alias if it has one."""

    key: str
    node: FieldNode
    type: GraphQLOutputType
    description: str
    is_conditional: bool
    selections: list[Selection] = field(default_factory=list)


class Selections:
    """Reads selection sets against a schema."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self.schema = schema
        self.fragments = fragments

    def possible(self, kind: GraphQLNamedType) -> frozenset[str]:
        """Return the names of the objects that a type may be."""
        if is_abstract_type(kind):
            return frozenset(one.name for one in self.schema.get_possible_types(kind))
        return frozenset({kind.name})

    def covers(self, condition: str, kind: GraphQLNamedType) -> bool:
        """Whether a fragment with a type condition applies to every object of a type."""
        named = self.schema.type_map.get(condition)
        return named is not None and self.possible(kind) <= self.possible(named)

    def is_narrowed(self, kind: GraphQLNamedType, selections: Sequence[Selection]) -> bool:
        """Whether some fragment applies to a part of the objects of a type only."""
        return any(not self.covers(condition, kind) for condition in self._conditions(selections))

    def _conditions(self, selections: Sequence[Selection]) -> Iterator[str]:
        for selection in selections:
            for node in selection.node.selections:
                if isinstance(node, FieldNode):
                    continue
                condition, inner = self._fragment(node)
                if condition:
                    yield condition
                yield from self._conditions([Selection(inner)])

    def _fragment(
        self, node: InlineFragmentNode | FragmentSpreadNode | object
    ) -> tuple[str, SelectionSetNode]:
        """Return the type condition of a fragment, empty without one, and its selections."""
        if isinstance(node, FragmentSpreadNode):
            fragment = self.fragments[node.name.value]
            return fragment.type_condition.name.value, fragment.selection_set
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return ("" if condition is None else condition.name.value), node.selection_set
        raise TypeError(f"{node!r} is no fragment")

    def fields(
        self, kind: GraphQLNamedType, selections: Sequence[Selection]
    ) -> dict[str, SelectedField]:
        """Return the fields that a type has in selections, by their names in the response."""
        found: dict[str, SelectedField] = {}
        for selection in selections:
            self._collect(kind, selection, found)
        for one in found.values():
            if len(one.selections) == 1:  # it is there whenever the field is
                one.selections = [Selection(one.selections[0].node)]
        return found

    def _collect(
        self, kind: GraphQLNamedType, selection: Selection, found: dict[str, SelectedField]
    ) -> None:
        for node in selection.node.selections:
            is_conditional = selection.is_conditional or is_optional(node)
            if isinstance(node, FieldNode):
                self._add(kind, node, found, is_conditional=is_conditional)
                continue
            condition, inner = self._fragment(node)
            if not condition or self.covers(condition, kind):
                self._collect(kind, Selection(inner, is_conditional), found)

    def _add(
        self,
        kind: GraphQLNamedType,
        node: FieldNode,
        found: dict[str, SelectedField],
        *,
        is_conditional: bool,
    ) -> None:
        key = node.alias.value if node.alias else node.name.value
        definition = self.schema.get_field(kind, node.name.value)  # type: ignore[arg-type]  # composite
        if definition is None:
            return
        known = found.get(key)
        if known is None:
            known = found[key] = SelectedField(
                key, node, definition.type, definition.description or "", is_conditional
            )
        known.is_conditional = known.is_conditional and is_conditional
        if node.selection_set is not None:
            known.selections.append(Selection(node.selection_set, is_conditional))


def is_optional(node: object) -> bool:
    """Whether a field or a fragment may be left out of a response by @include or @skip."""
    directives = getattr(node, "directives", None) or ()
    return any(one.name.value in {"include", "skip"} for one in directives)


def only_spread(selections: Sequence[Selection]) -> FragmentSpreadNode | None:
    """Return the spread of which selections consist, apart from `__typename`; or None."""
    if len(selections) != 1:
        return None
    nodes = [
        node
        for node in selections[0].node.selections
        if not (isinstance(node, FieldNode) and node.name.value == TYPENAME and not node.alias)
    ]
    if len(nodes) == 1 and isinstance(nodes[0], FragmentSpreadNode) and not is_optional(nodes[0]):
        return nodes[0]
    return None
