"""The rules of changes of GraphQL schemas."""

from collections.abc import Mapping
from typing import Final

from bff_core.contracts.changes.rules import ChangeRule

GRAPHQL_RULES: Final[Mapping[str, ChangeRule]] = {
    "graphql-operation-type-removed": ChangeRule(
        "breaking", "The schema has no queries, mutations or subscriptions any more."
    ),
    "graphql-type-removed": ChangeRule("breaking", "Fragments on the type fail."),
    "graphql-type-added": ChangeRule("info", "The schema has a new type."),
    "graphql-type-kind-changed": ChangeRule(
        "breaking", "The type is of another kind, such as an enum instead of an object."
    ),
    "graphql-union-type-removed": ChangeRule("breaking", "Fragments on the type fail."),
    "graphql-union-type-added": ChangeRule(
        "warning", "A client receives objects of a type that it does not know."
    ),
    "graphql-interface-removed": ChangeRule("breaking", "Fragments on the interface fail."),
    "graphql-interface-added": ChangeRule(
        "warning", "A fragment on the interface returns more than before."
    ),
    "graphql-enum-value-removed": ChangeRule("breaking", "Operations that send the value fail."),
    "graphql-enum-value-added": ChangeRule(
        "breaking", "A reader that accepts listed values only fails."
    ),
    "graphql-field-removed": ChangeRule("breaking", "Operations with the field fail."),
    "graphql-field-added": ChangeRule("info", "The type has a new field."),
    "graphql-field-type-changed": ChangeRule(
        "breaking", "The field has a type that clients don't expect, or may be null."
    ),
    "graphql-field-type-refined": ChangeRule(
        "info", "The field is more exact, or accepts more if it is one of an input."
    ),
    "graphql-required-input-field-added": ChangeRule(
        "breaking", "Operations that leave the field out fail."
    ),
    "graphql-optional-input-field-added": ChangeRule("info", "Clients may send another field."),
    "graphql-input-default-changed": ChangeRule(
        "warning", "Operations that leave the field out mean something else."
    ),
    "graphql-input-default-added": ChangeRule("info", "A field that is left out has a default."),
    "graphql-argument-removed": ChangeRule("breaking", "Operations with the argument fail."),
    "graphql-required-argument-added": ChangeRule(
        "breaking", "Operations that leave the argument out fail."
    ),
    "graphql-optional-argument-added": ChangeRule("info", "Clients may send another argument."),
    "graphql-argument-type-changed": ChangeRule("breaking", "The argument is refused."),
    "graphql-argument-type-widened": ChangeRule("info", "The argument accepts more."),
    "graphql-argument-default-changed": ChangeRule(
        "warning", "Operations that leave the argument out mean something else."
    ),
    "graphql-argument-default-added": ChangeRule(
        "info", "An argument that is left out has a default."
    ),
    "graphql-directive-removed": ChangeRule("breaking", "Operations with the directive fail."),
    "graphql-directive-added": ChangeRule("info", "Clients may use another directive."),
    "graphql-directive-narrowed": ChangeRule(
        "breaking", "The directive is refused where clients have it, or as they have it."
    ),
    "graphql-directive-widened": ChangeRule("info", "The directive is allowed in more places."),
    "graphql-deprecated": ChangeRule("info", "It works, and will be removed."),
}

_NAMES: Final[Mapping[str, str]] = {
    "TYPE_REMOVED": "type-removed",
    "TYPE_ADDED": "type-added",
    "TYPE_CHANGED_KIND": "type-kind-changed",
    "TYPE_REMOVED_FROM_UNION": "union-type-removed",
    "TYPE_ADDED_TO_UNION": "union-type-added",
    "IMPLEMENTED_INTERFACE_REMOVED": "interface-removed",
    "IMPLEMENTED_INTERFACE_ADDED": "interface-added",
    "VALUE_REMOVED_FROM_ENUM": "enum-value-removed",
    "VALUE_ADDED_TO_ENUM": "enum-value-added",
    "FIELD_REMOVED": "field-removed",
    "FIELD_ADDED": "field-added",
    "FIELD_CHANGED_KIND": "field-type-changed",
    "FIELD_CHANGED_KIND_SAFE": "field-type-refined",
    "REQUIRED_INPUT_FIELD_ADDED": "required-input-field-added",
    "OPTIONAL_INPUT_FIELD_ADDED": "optional-input-field-added",
    "INPUT_FIELD_DEFAULT_VALUE_CHANGE": "input-default-changed",
    "INPUT_FIELD_DEFAULT_VALUE_ADDED": "input-default-added",
    "ARG_REMOVED": "argument-removed",
    "REQUIRED_ARG_ADDED": "required-argument-added",
    "OPTIONAL_ARG_ADDED": "optional-argument-added",
    "ARG_CHANGED_KIND": "argument-type-changed",
    "ARG_CHANGED_KIND_SAFE": "argument-type-widened",
    "ARG_DEFAULT_VALUE_CHANGE": "argument-default-changed",
    "ARG_DEFAULT_VALUE_ADDED": "argument-default-added",
    "DIRECTIVE_REMOVED": "directive-removed",
    "DIRECTIVE_ADDED": "directive-added",
    "DIRECTIVE_ARG_REMOVED": "directive-narrowed",
    "REQUIRED_DIRECTIVE_ARG_ADDED": "directive-narrowed",
    "DIRECTIVE_REPEATABLE_REMOVED": "directive-narrowed",
    "DIRECTIVE_LOCATION_REMOVED": "directive-narrowed",
    "OPTIONAL_DIRECTIVE_ARG_ADDED": "directive-widened",
    "DIRECTIVE_REPEATABLE_ADDED": "directive-widened",
    "DIRECTIVE_LOCATION_ADDED": "directive-widened",
}


def graphql_rule(kind: str) -> str:
    """Return the rule of a kind of change, as graphql-core calls it: FIELD_REMOVED."""
    return f"graphql-{_NAMES.get(kind, kind.lower().replace('_', '-'))}"
