"""Checks the access rules of the fields of an operation without executing it.

Resolvers check the same rules, but they do not run if the answer is cached or replayed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_argument_values,
    get_directive_values,
    get_nullable_type,
    get_variable_values,
    is_abstract_type,
    located_error,
    visit,
)

from bff_core.auth.access import Access, Require, admit, admit_to, is_open
from bff_core.compat.graphql_core import VariableValues
from bff_core.graphql.access import guarding_rules, python_inputs
from bff_core.graphql.namespaces import mutation_types
from bff_core.graphql.query_limits import fragments_of
from bff_core.scope import Scope

Variables = dict[str, object] | None

RulesOfNode: TypeAlias = "Callable[[GraphQLObjectType, FieldNode], Sequence[FieldRule]]"


@dataclass(frozen=True, slots=True, eq=False)
class FieldRule:
    """The access rule of a field that a query selects with a node."""

    rule: Access | None
    field: GraphQLField
    node: FieldNode

    @property
    def reads_arguments(self) -> bool:
        """Whether the rule depends on the arguments of the field as well."""
        return isinstance(self.rule, Require) and self.rule.when is not None

    @property
    def key(self) -> object:
        """A key that two rules share if checking one of them is enough."""
        is_own = self.reads_arguments
        return (id(self.node), id(self.field), id(self.rule)) if is_own else self.rule

    def is_open(self, request_scope: Scope) -> bool:
        """Whether the field is open to anonymous callers."""
        return is_open(self.rule, request_scope)

    def check(self, request_scope: Scope, values: VariableValues | None) -> None:
        """Raise if the rule refuses the viewer."""
        admit(self.rule, request_scope)
        admit_to(self.rule, request_scope, partial(self._inputs, values))

    def _inputs(self, values: VariableValues | None) -> dict[str, object]:
        return python_inputs(self.field, get_argument_values(self.field, self.node, values))


class FieldRules:
    """The access rules of a schema's fields."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._changing = mutation_types(schema)
        self._guarding = cache(partial(guarding_rules, schema))

    def of(
        self, document: DocumentNode, operation: OperationDefinitionNode
    ) -> tuple[FieldRule, ...]:
        """Return the rules of all fields that an operation can select, in any type."""
        collector = _Collector(self._schema, self._rules)
        for node in (operation, *fragments_of(document).values()):
            visit(node, TypeInfoVisitor(collector.info, collector))
        return tuple(collector.found.values())

    def are_met(
        self,
        rules: Sequence[FieldRule],
        operation: OperationDefinitionNode,
        given: Variables,
        request_scope: Scope,
    ) -> bool:
        """Whether the viewer may select all fields of an operation."""
        try:
            reads_arguments = any(rule.reads_arguments for rule in rules)
            values = self._coerced(operation, given) if reads_arguments else None
            if isinstance(values, list):
                return False
            for rule in rules:
                rule.check(request_scope, values)
        except Exception:  # noqa: BLE001 # the resolver will raise the same error
            return False
        return True

    def refusals(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        given: Variables,
        request_scope: Scope,
    ) -> list[GraphQLError]:
        """Return the errors of the fields of a mutation whose access rules refuse the viewer.

        Variables that do not fit give errors without a path, since no field can be checked.
        """
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return []
        values = self._coerced(operation, given)
        if isinstance(values, list):
            return values
        fields = self._changes(root, selected_fields(document, operation, values), document, values)
        return [
            error
            for kind, node, path in fields
            for error in _refusal(self._rules(kind, node), node, path, request_scope, values)
        ]

    def _changes(
        self,
        kind: GraphQLObjectType,
        nodes: Iterable[FieldNode],
        document: DocumentNode,
        values: VariableValues,
        path: tuple[str | int, ...] = (),
    ) -> Iterator[tuple[GraphQLObjectType, FieldNode, tuple[str | int, ...]]]:
        """Yield the selected fields of a type, and those of the namespaces below it."""
        for node in nodes:
            here = (*path, (node.alias or node.name).value)
            yield kind, node, here
            field = kind.fields.get(node.name.value)
            below: Any = None if field is None else get_nullable_type(field.type)
            if below in self._changing and node.selection_set is not None:
                inner = _selected(node.selection_set, fragments_of(document), values, set())
                yield from self._changes(below, inner, document, values, here)

    def _rules(self, kind: GraphQLObjectType, node: FieldNode) -> Sequence[FieldRule]:
        """Return the rules to check for a field of a query, in a type."""
        field = kind.fields.get(node.name.value)
        if field is None:
            return ()
        return [FieldRule(one, field, node) for one in self._guarding(kind, node.name.value)]

    def _coerced(
        self, operation: OperationDefinitionNode, given: Variables
    ) -> VariableValues | list[GraphQLError]:
        """Return the coerced variables of a request, or their errors."""
        declared = operation.variable_definitions or ()
        return get_variable_values(self._schema, declared, given or {})


class _Collector(Visitor):
    """Collects the rules of the fields that it visits; one per field if it reads arguments."""

    def __init__(self, schema: GraphQLSchema, rules: RulesOfNode) -> None:
        super().__init__()
        self.info = TypeInfo(schema)
        self.found: dict[object, FieldRule] = {}
        self._schema = schema
        self._rules = rules

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        for kind in self._kinds():
            self.found.update((rule.key, rule) for rule in self._rules(kind, node))

    def _kinds(self) -> Sequence[GraphQLObjectType]:
        kind = self.info.get_parent_type()
        if is_abstract_type(kind):
            return self._schema.get_possible_types(kind)
        return [kind] if isinstance(kind, GraphQLObjectType) else []


def _refusal(
    rules: Iterable[FieldRule],
    node: FieldNode,
    path: Sequence[str | int],
    request_scope: Scope,
    values: VariableValues,
) -> Iterator[GraphQLError]:
    try:
        for rule in rules:
            rule.check(request_scope, values)
    except Exception as error:  # noqa: BLE001 # the resolver would raise the same error
        yield located_error(error, [node], [*path])


def selected_fields(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: VariableValues | None = None,
) -> Iterator[FieldNode]:
    """Yield the fields at the root of an operation (GraphQL, section 6.3.2, CollectFields).

    Without `values` these are all fields that it selects with any variables.
    """
    return _selected(operation.selection_set, fragments_of(document), values, set())


def _selected(
    selections: SelectionSetNode,
    fragments: dict[str, FragmentDefinitionNode],
    values: VariableValues | None,
    visited: set[str],
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if values is not None and not _is_included(node, values):
            continue
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _selected(node.selection_set, fragments, values, visited)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
            visited.add(node.name.value)
            inner = fragments[node.name.value].selection_set
            yield from _selected(inner, fragments, values, visited)


def _is_included(node: Any, values: VariableValues) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, values)
    include = get_directive_values(GraphQLIncludeDirective, node, values)
    return not (skip and skip["if"]) and not (include and not include["if"])
