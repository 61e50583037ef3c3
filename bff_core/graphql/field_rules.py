"""The access rules of the fields that an operation selects, checked before anything is executed.

Resolvers check the same rules when they run. A stored answer runs none of them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_argument_values,
    get_variable_values,
    is_abstract_type,
    visit,
)
from graphql.execution.values import VariableValues

from bff_core.auth.access import Access, Require, admit, admit_to, is_open
from bff_core.graphql.access import is_unguarded, python_inputs, rule_of
from bff_core.scope import Scope

Variables = dict[str, object] | None


class FieldRule:
    """The rule of one field; one that `looks` decides by the field's arguments, too."""

    __slots__ = ("_field", "_node", "_said", "looks")

    def __init__(self, said: Access | None, field: GraphQLField, node: FieldNode) -> None:
        self.looks = isinstance(said, Require) and said.when is not None
        self._said = said
        self._field = field
        self._node = node

    @property
    def key(self) -> object:
        """What two rules share if to check one of them is enough."""
        return (id(self._node), id(self._field)) if self.looks else self._said

    def is_open(self, seen: Scope) -> bool:
        """Whether anonymous callers may ask for the field."""
        return is_open(self._said, seen)

    def check(self, seen: Scope, values: VariableValues | None) -> None:
        """Raise for a viewer whom the rule refuses."""
        admit(self._said, seen)
        admit_to(self._said, seen, partial(self._inputs, values))

    def _inputs(self, values: VariableValues | None) -> dict[str, object]:
        return python_inputs(self._field, get_argument_values(self._field, self._node, values))


class FieldRules:
    """The rules of a schema's fields."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def of(
        self, document: DocumentNode, operation: OperationDefinitionNode
    ) -> tuple[FieldRule, ...]:
        """Return the rules of all fields that an operation can select, in whatever type."""
        collector = _Collector(self._schema)
        for node in (operation, *_fragments(document).values()):
            visit(node, TypeInfoVisitor(collector.info, collector))
        return tuple(collector.found.values())

    def are_met(
        self,
        rules: Sequence[FieldRule],
        operation: OperationDefinitionNode,
        given: Variables,
        seen: Scope,
    ) -> bool:
        """Whether a viewer may see all that an operation can select."""
        try:
            looks = any(rule.looks for rule in rules)
            values = self._values(operation, given) if looks else None
            for rule in rules:
                rule.check(seen, values)
        except Exception:  # noqa: BLE001 # whatever it is, the resolver raises it again
            return False
        return True

    def _values(self, operation: OperationDefinitionNode, given: Variables) -> VariableValues:
        """Return the variables of a request, coerced; raises `GraphQLError`."""
        declared = operation.variable_definitions or ()
        values = get_variable_values(self._schema, declared, given or {})
        if isinstance(values, VariableValues):
            return values
        raise values[0]


class _Collector(Visitor):
    """Notes the rules of the fields that it passes; those that look at arguments, one by one."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.info = TypeInfo(schema)
        self.found: dict[object, FieldRule] = {}
        self._schema = schema

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        for kind in self._kinds():
            field = kind.fields.get(node.name.value)
            said = None if field is None else rule_of(kind, field)
            if field is not None and not is_unguarded(self._schema, kind, said):
                rule = FieldRule(said, field, node)
                self.found[rule.key] = rule

    def _kinds(self) -> Sequence[GraphQLObjectType]:
        kind = self.info.get_parent_type()
        if is_abstract_type(kind):
            return self._schema.get_possible_types(kind)
        return [kind] if isinstance(kind, GraphQLObjectType) else []


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    found = document.definitions
    return {one.name.value: one for one in found if isinstance(one, FragmentDefinitionNode)}
