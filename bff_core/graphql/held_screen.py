"""Finds the screen that a value of a GraphQL type holds: itself, its source or a private field."""

from collections.abc import Iterator
from inspect import get_annotations

from bff_core.composition.composition import Composition
from bff_core.errors import ConfigurationError
from bff_core.graphql.annotations import bare, class_of_annotation, evaluated_in
from bff_core.graphql.shape import source_type


def screen_attribute(kind: type, screen: type[Composition]) -> str | None:
    """Return the name of the attribute in which a type holds a screen; None if it holds none.

    Raise `ConfigurationError` for a type that holds several.
    """
    held = {name: one for name, one in held_screens(kind) if issubclass(one, screen)}
    exact = [name for name, one in held.items() if one is screen]
    names = exact or list(held)
    if len(names) > 1:
        raise ConfigurationError(
            f"{kind.__name__} holds more than one {screen.__name__}: {', '.join(names)}; "
            "write a resolver that awaits the part of the right one"
        )
    return names[0] if names else None


def held_screens(kind: type) -> Iterator[tuple[str, type[Composition]]]:
    """Yield the screens that a type holds, with the names of the attributes.

    These are the source of a `ShapeOf`, and private fields: `page: strawberry.Private[Page]`.
    Annotations that can't be evaluated are left out.
    """
    source = class_of_annotation(source_type(kind))
    if source is not None and issubclass(source, Composition):
        yield "source", source
    found: set[str] = set()
    for base in kind.__mro__:
        for name, annotation in get_annotations(base).items():
            held = _composition(base, annotation)
            if held is not None and name not in found:
                found.add(name)
                yield name, held


def _composition(base: type, annotation: object) -> type[Composition] | None:
    try:
        kind = class_of_annotation(bare(evaluated_in(base, annotation, base.__name__)))
    except (ConfigurationError, TypeError):
        return None
    return kind if kind is not None and issubclass(kind, Composition) else None
