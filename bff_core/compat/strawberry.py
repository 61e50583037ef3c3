"""The private names of Strawberry that the framework uses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from inspect import get_annotations
from typing import Any, Final

import strawberry
from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLSchema
from strawberry.extensions import AddValidationRules, SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import get_object_definition
from strawberry.types.arguments import StrawberryArgumentAnnotation as ArgumentMetadata
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion
from strawberry.utils.str_converters import to_camel_case as camel_case

__all__ = [
    "VALIDATION_RULES",
    "ArgumentMetadata",
    "added_rules",
    "argument_names",
    "attribute_types",
    "camel_case",
    "class_of",
    "declaration_of",
    "declaring_classes",
    "directives_of",
    "execute_serially",
    "field_type",
    "get_object_definition",
    "graphql_schema",
    "is_input_class",
    "is_interface",
    "is_nullable",
    "is_plain",
    "item_type",
    "non_null_type",
    "possible_types",
    "python_name",
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


def execute_serially(schema: strawberry.Schema, names: frozenset[str]) -> None:
    """Make a schema run the fields of types with these names one after the other."""
    base: Any = schema.execution_context_class

    class SerialExecution(base):  # type: ignore[misc]  # the author's class, or Strawberry's
        """Executes some types as GraphQL executes the root of a mutation."""

        def execute_fields(self, parent_type: GraphQLObjectType, *rest: Any) -> Any:
            execute = super().execute_fields
            if parent_type.name in names:
                execute = self.execute_fields_serially
            return execute(parent_type, *rest)

    schema.execution_context_class = SerialExecution


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


def declaration_of(field: GraphQLField) -> object:
    """Return Strawberry's field behind a field; None if it has none."""
    return _definition_of(field)


def declaring_classes(kind: type, field: GraphQLField) -> Mapping[type, object]:
    """Return the classes that declare a field of a type, each with its own Strawberry field.

    The first one is the class whose declaration the type uses; the type overrides the others.
    """
    name = python_name(field)
    found: dict[type, object] = {}
    for one in kind.__mro__:
        definition = get_object_definition(one)
        if definition is not None and _declares(one, name):
            # Strawberry's copy of a field lacks what a decorator above the field has set.
            originals = vars(one).get("__dataclass_fields__", {})
            found[one] = originals.get(name) or definition.get_field(name)
    used = getattr(_definition_of(field), "origin", None)
    return {used: found[used], **found} if used in found else found or {kind: None}


def _declares(kind: type, name: str) -> bool:
    """Whether a class declares a field itself; Strawberry drops annotations of resolvers."""
    if name in get_annotations(kind):
        return True
    own, *inherited = [
        definition.get_field(name)
        for definition in map(get_object_definition, (kind, *kind.__bases__))
        if definition is not None
    ]
    return own is not None and _function(own) not in [_function(one) for one in inherited if one]


def _function(field: StrawberryField) -> object:
    return getattr(field.base_resolver, "wrapped_func", None)


def argument_names(field: GraphQLField) -> Iterator[tuple[str, str]]:
    """Yield the name of each argument of a field in GraphQL, and its name in Python."""
    for name, argument in field.args.items():
        definition = argument.extensions.get(DEFINITION)
        if definition is not None:
            yield name, definition.python_name


def field_type(field: GraphQLField) -> object:
    """Return Strawberry's type of a field."""
    return getattr(_definition_of(field), "type", None)


def directives_of(field: GraphQLField) -> Sequence[object]:
    """Return the schema directives of a field."""
    return getattr(_definition_of(field), "directives", ())


def python_name(field: GraphQLField) -> str:
    """Return the name of a field's attribute in Python; empty for a field of introspection."""
    return getattr(_definition_of(field), "python_name", "")


def is_plain(schema: strawberry.Schema, field: GraphQLField) -> bool:
    """Whether nothing but its resolver decides the value of a field of a schema."""
    has_handlers = bool(schema.schema_converter.exception_handlers)
    return not has_handlers and not getattr(_definition_of(field), "extensions", ())


def attribute_types(kind: type) -> Mapping[str, object]:
    """Return the fields of a type that read an attribute, with Strawberry's types of them."""
    definition = get_object_definition(kind)
    fields = () if definition is None else definition.fields
    return {one.python_name: one.type for one in fields if one.base_resolver is None}


def is_input_class(kind: object) -> bool:
    """Whether a class is an input type."""
    definition = get_object_definition(kind)
    return definition is not None and definition.is_input


def is_interface(kind: object) -> bool:
    """Whether a class is an interface."""
    definition = get_object_definition(kind)
    return definition is not None and definition.is_interface


def is_nullable(kind: object) -> bool:
    """Whether a type allows null."""
    return isinstance(kind, StrawberryOptional)


def non_null_type(kind: object) -> object:
    """Return a type without null; a lazy type is imported."""
    while isinstance(kind, StrawberryOptional | LazyType):
        kind = kind.of_type if isinstance(kind, StrawberryOptional) else kind.resolve_type()
    return kind


def item_type(kind: object) -> object:
    """Return the type of the items of a list; None for a type that is no list."""
    return kind.of_type if isinstance(kind, StrawberryList) else None


def possible_types(kind: object) -> Sequence[object]:
    """Return the types of a union; another type is the only one."""
    return kind.types if isinstance(kind, StrawberryUnion) else (kind,)


def _definition_of(field: GraphQLField) -> object:
    return field.extensions.get(DEFINITION)
