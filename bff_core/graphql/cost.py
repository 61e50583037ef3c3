"""Query cost analysis: computes the cost of a query before it is executed.

The cost is the number of values that the answer can have. Each field counts its weight, times the
sizes of the lists around it. A field that is selected twice counts twice, and a fragment counts
wherever it is spread. `@include` and `@skip` are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_introspection_query,
    get_named_type,
    parse,
    value_from_ast_untyped,
)

from bff_core.graphql.namespaces import mutation_types
from bff_core.graphql.query_limits import QueryLimits, fragments_of
from bff_core.graphql.sizes import Size, Sizing, Variables, sizing_of

MUTATION_WEIGHT: Final = 10
"""The cost of a field of `Mutation`, or of a namespace, without a `Cost` directive."""

INTROSPECTION_TYPES: Final = {"__schema": "__Schema", "__type": "__Type"}

MAX_INTROSPECTIONS: Final = 2
"""The introspection in one query may cost as much as so many standard introspection queries."""

INTROSPECTION_LIST_SIZE: Final = 3
"""Assumed length of the lists in an introspection: fields of a type, arguments of a field."""

TYPE_REFERENCE: Final = frozenset({"__Type.kind", "__Type.name", "__Type.ofType"})
"""Fields without cost: tools select them nine levels deep, but two or three levels exist."""


class QueryTooExpensive(GraphQLError):
    """The cost of a query is over the limit."""

    def __init__(self, what: str, cost: int, allowed: int) -> None:
        super().__init__(
            f"{what} {cost:,}; at most {allowed:,} is accepted. Ask for fewer items or fields.",
            extensions={"code": "query_too_expensive", "cost": cost, "limit": allowed},
        )


class CostFormula(NamedTuple):
    """A cost as far as it is known without variables: a number, and sizes times other costs."""

    fixed: int
    varying: tuple[tuple[Size, "CostFormula"], ...] = ()

    def of(self, variables: Variables) -> int:
        """Return the cost with these values of the variables."""
        total = self.fixed
        for size, formula in self.varying:
            total += (size if isinstance(size, int) else size(variables)) * formula.of(variables)
        return total

    def times(self, size: Size) -> "CostFormula":
        """Return the cost of so many items."""
        if not isinstance(size, int):
            return CostFormula(0, ((size, self),))
        varying = self.varying
        if varying and size != 1:
            varying = ((size, CostFormula(0, varying)),)
        return CostFormula(self.fixed * size, varying)


@dataclass(frozen=True, slots=True)
class OperationCost:
    """The cost of one operation; `defaults` are those of its variables."""

    formula: CostFormula
    defaults: Variables

    def of(self, variables: Mapping[str, object] | None) -> int:
        """Return what the operation costs with these variables."""
        if not self.formula.varying:
            return self.formula.fixed
        return self.formula.of({**self.defaults, **(variables or {})})


class CostAnalysis:
    """Computes the costs of operations against a schema and its declarations."""

    def __init__(self, schema: GraphQLSchema, limits: QueryLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._changing = mutation_types(schema)
        self._sizings = {
            (kind.name, name): self._sizing(kind, name, one)
            for kind in schema.type_map.values()
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
            for name, one in kind.fields.items()
        }
        types = self._sizings["__Schema", "types"]
        self._sizings["__Schema", "types"] = replace(types, fallback=len(schema.type_map))

    def cost_of(self, document: DocumentNode, operation: OperationDefinitionNode) -> OperationCost:
        """Return the cost of an operation, whose document need not be valid.

        Raise `QueryTooExpensive` for more introspection than tools need.
        """
        walk = self._walk(document, operation)
        if walk.introspection:
            allowed = MAX_INTROSPECTIONS * self._introspection
            if walk.introspection > allowed:
                what = "The introspection costs"
                raise QueryTooExpensive(what, walk.introspection, allowed)
        defaults = {
            one.variable.name.value: value_from_ast_untyped(one.default_value)
            for one in operation.variable_definitions or ()
            if one.default_value is not None
        }
        return OperationCost(walk.cost, defaults)

    def check(self, cost: int) -> None:
        """Raise `QueryTooExpensive` for a cost beyond the limit."""
        if cost > self._limits.cost:
            raise QueryTooExpensive("The query costs", cost, self._limits.cost)

    @cached_property
    def _introspection(self) -> int:
        """What the standard introspection query costs."""
        document = parse(get_introspection_query(input_value_deprecation=True))
        (operation,) = (
            one for one in document.definitions if isinstance(one, OperationDefinitionNode)
        )
        return self._walk(document, operation).introspection

    def _sizing(
        self, kind: GraphQLObjectType | GraphQLInterfaceType, name: str, one: GraphQLField
    ) -> Sizing:
        where, weight, list_size = f"{kind.name}.{name}", 1, self._limits.list_size
        if kind in self._changing:
            weight = MUTATION_WEIGHT
        elif kind.name.startswith("__"):
            weight, list_size = int(where not in TYPE_REFERENCE), INTROSPECTION_LIST_SIZE
        return sizing_of(self._schema, where, one, weight=weight, list_size=list_size)

    def _walk(self, document: DocumentNode, operation: OperationDefinitionNode) -> "_Walk":
        walk = _Walk(self._schema, self._sizings, fragments_of(document))
        root = self._schema.get_root_type(OperationType(operation.operation))
        walk.cost = walk.selections(operation.selection_set, root)
        return walk


class _Inherited(NamedTuple):
    """The size of a field that applies to lists inside its type (`sizedFields`)."""

    names: frozenset[str]
    size: Size


NOTHING_INHERITED: Final = _Inherited(frozenset(), 1)
LEAF: Final = Sizing(1, 0, (), 1, 0, frozenset())
"""The sizing of `__typename`, and of fields that the schema does not have."""


@dataclass(slots=True)
class _Walk:
    """Walks an operation and its fragments wherever they are spread; `check_extent` limits both."""

    schema: GraphQLSchema
    sizings: Mapping[tuple[str, str], Sizing]
    fragments: Mapping[str, FragmentDefinitionNode]
    introspection: int = 0
    cost: CostFormula = field(default=CostFormula(0))
    _sizes: dict[int, Size] = field(default_factory=dict)

    def selections(
        self,
        selection_set: SelectionSetNode | None,
        kind: GraphQLNamedType | None,
        inherited: _Inherited = NOTHING_INHERITED,
    ) -> CostFormula:
        """Return the cost of a selection on one value of a type."""
        fixed = 0
        varying: list[tuple[Size, CostFormula]] = []
        for selection in selection_set.selections if selection_set else ():
            match selection:
                case FieldNode():
                    cost = self._field(selection, kind, inherited)
                case FragmentSpreadNode():
                    fragment = self.fragments.get(selection.name.value)
                    cost = self._fragment(fragment, kind, inherited)
                case InlineFragmentNode():
                    cost = self._fragment(selection, kind, inherited)
                case _:
                    continue
            fixed += cost.fixed
            varying += cost.varying
        return CostFormula(fixed, tuple(varying))

    def _fragment(
        self,
        fragment: FragmentDefinitionNode | InlineFragmentNode | None,
        kind: GraphQLNamedType | None,
        inherited: _Inherited,
    ) -> CostFormula:
        if fragment is None:
            return CostFormula(0)
        if fragment.type_condition is not None:
            kind = self.schema.get_type(fragment.type_condition.name.value)
        return self.selections(fragment.selection_set, kind, inherited)

    def _field(
        self, node: FieldNode, kind: GraphQLNamedType | None, inherited: _Inherited
    ) -> CostFormula:
        name = node.name.value
        if name in INTROSPECTION_TYPES:
            introspected = self.schema.get_type(INTROSPECTION_TYPES[name])
            inner = self.selections(node.selection_set, introspected)
            self.introspection += inner.fixed
            return CostFormula(1)
        sizing = self.sizings.get((kind.name, name), LEAF) if kind is not None else LEAF
        size = self._size(node, sizing)
        passed = _Inherited(sizing.inner, size) if sizing.inner else NOTHING_INHERITED
        inner = self.selections(node.selection_set, self._kind(kind, name), passed)
        cost = CostFormula(inner.fixed + sizing.weight, inner.varying)
        if not sizing.factor:
            return cost
        if name in inherited.names and not sizing.slices:
            size = inherited.size
        return cost.times(sizing.factor).times(size)

    def _kind(self, kind: GraphQLNamedType | None, name: str) -> GraphQLNamedType | None:
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            return None
        found = kind.fields.get(name)
        return None if found is None else get_named_type(found.type)

    def _size(self, node: FieldNode, sizing: Sizing) -> Size:
        """Return how many items a field yields; computed once, since lists may be long."""
        if not sizing.slices:
            return sizing.fallback
        known = self._sizes.get(id(node))
        if known is None:
            known = self._sizes[id(node)] = sizing.size(node)
        return known
