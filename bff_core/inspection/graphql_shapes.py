"""The screens and sources that values of GraphQL types hold."""

from bff_core.graphql.annotations import class_of_annotation
from bff_core.graphql.held_screen import held_screens
from bff_core.graphql.shape import ShapeOf, source_type


def held(kind: type, name: str) -> type | None:
    """Return the class of the source of a `ShapeOf`, or of a screen in a private field."""
    if issubclass(kind, ShapeOf) and name == "source":
        return class_of_annotation(source_type(kind))
    return next((screen for field, screen in held_screens(kind) if field == name), None)
