"""The root fields of a schema and of an operation, as metrics and objectives call them."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from strawberry.types import ExecutionResult

from bff_core.compat.strawberry import declaration_of
from bff_core.graphql.failures import is_failure
from bff_core.graphql.field_rules import selected_fields
from bff_core.graphql.strawberry_field import plan_of
from bff_core.objective import Objective, objective_of


def served_fields(schema: GraphQLSchema) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of the query and the mutation: label, screen and text of the objective."""
    for word, kind in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        for name, field in {} if kind is None else kind.fields.items():
            declared = declaration_of(field)
            resolver = getattr(getattr(declared, "base_resolver", None), "wrapped_func", None)
            plan = plan_of(resolver)
            screen = None if plan is None else plan.screen
            objective = _objective(declared, resolver)
            yield (
                f"{word} {name}",
                "" if screen is None else screen.__name__,
                "" if objective is None else objective.text,
            )


def _objective(declared: object, resolver: object) -> Objective | None:
    """Return the objective of a field: `@objective` may stand above the field or its resolver."""
    return objective_of(declared) or objective_of(resolver)


def labels_of(document: DocumentNode, operation: OperationDefinitionNode) -> Mapping[str, str]:
    """Return the labels of the root fields that an operation selects, by their response keys."""
    word = operation.operation.value
    return {
        node.alias.value if node.alias else node.name.value: f"{word} {node.name.value}"
        for node in selected_fields(document, operation)
        if not node.name.value.startswith("__")
    }


def shown_fields(document: DocumentNode, operation: OperationDefinitionNode) -> Sequence[str]:
    """Return the root fields of an operation with the names of their arguments: `product(id)`."""
    found: dict[str, None] = {}
    for node in selected_fields(document, operation):
        names = ", ".join(one.name.value for one in node.arguments or ())
        if not node.name.value.startswith("__"):
            found[f"{node.name.value}({names})" if names else node.name.value] = None
    return list(found)


def failed_fields(
    result: ExecutionResult, errors: Sequence[GraphQLError], labels: Mapping[str, str]
) -> Sequence[str]:
    """Return the labels of root fields that are null since the gateway or a service failed."""
    data = result.data or {}
    failed = {error.path[0] for error in errors if error.path and is_failure(error)}
    return [label for key, label in labels.items() if key in failed and data.get(key) is None]
