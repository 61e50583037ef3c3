"""The private names of Strawberry that the framework uses."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any, Final

import strawberry
from graphql import GraphQLField, GraphQLNamedType, GraphQLSchema
from strawberry.extensions import AddValidationRules, SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

__all__ = [
    "VALIDATION_RULES",
    "added_rules",
    "argument_names",
    "class_of",
    "directives_of",
    "get_object_definition",
    "graphql_schema",
    "resolver_of",
    "skip_parsing",
    "with_extension",
    "with_graphql_schema",
]

DEFINITION: Final = "strawberry-definition"
"""The extension in which types and fields of graphql-core hold Strawberry's definition."""

VALIDATION_RULES: Final = (MaybeNullValidationRule, OneOfInputValidationRule)
"""The validation rules that Strawberry adds to those of the specification."""


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return the schema of graphql-core inside a schema of Strawberry."""
    return schema._schema  # noqa: SLF001 # Strawberry has no public name for it


def with_graphql_schema(schema: strawberry.Schema, inner: GraphQLSchema) -> strawberry.Schema:
    """Return a copy of a schema that executes by another schema of graphql-core.

    Its resolvers get the original schema as `info.schema`.
    """
    made = copy(schema)
    made._schema = inner  # noqa: SLF001 # Strawberry has no public name for it
    inner._strawberry_schema = schema  # type: ignore[attr-defined]  # noqa: SLF001 # as Strawberry does
    return made


def with_extension(
    schema: strawberry.Schema, make: Callable[[], SchemaExtension]
) -> strawberry.Schema:
    """Return a copy of a schema with one more extension, which runs first."""
    made = copy(schema)
    made.extensions = (make, *schema.extensions)
    return made


def skip_parsing(extension: SchemaExtension, document: Any) -> None:
    """Make an operation use a document that was parsed and validated before."""
    execution = extension.execution_context
    execution.graphql_document = document
    execution.pre_execution_errors = []


def added_rules(schema: strawberry.Schema) -> tuple[Any, ...]:
    """Return the validation rules that the extensions of a schema add."""
    return tuple(
        rule
        for extension in schema.get_extensions()
        if isinstance(extension, AddValidationRules)
        for rule in extension.validation_rules
    )


def class_of(kind: GraphQLNamedType) -> object:
    """Return the Python class behind a type; None if it has none."""
    return getattr(kind.extensions.get(DEFINITION), "origin", None)


def resolver_of(field: GraphQLField) -> object:
    """Return the resolver function of a field; None for a field that reads an attribute."""
    resolver = getattr(_definition_of(field), "base_resolver", None)
    return getattr(resolver, "wrapped_func", None)


def argument_names(field: GraphQLField) -> Iterator[tuple[str, str]]:
    """Yield the name of each argument of a field in GraphQL, and its name in Python."""
    for one in getattr(_definition_of(field), "arguments", ()):
        yield one.graphql_name or to_camel_case(one.python_name), one.python_name


def directives_of(field: GraphQLField) -> Sequence[object]:
    """Return the schema directives of a field."""
    return getattr(_definition_of(field), "directives", ())


def _definition_of(field: GraphQLField) -> object:
    return field.extensions.get(DEFINITION)
