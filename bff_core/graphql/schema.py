"""Reads a Strawberry schema: the hash of its types, and the compositions in its types."""

from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256
from typing import Annotated, get_args, get_origin

import strawberry
from graphql import print_schema

from bff_core.compat.strawberry import class_of, get_object_definition, graphql_schema
from bff_core.composition.composition import Composition


def schema_hash(schema: strawberry.Schema) -> str:
    """Return a hash of a schema; two schemas with one hash have answers of the same form."""
    return sha256(print_schema(graphql_schema(schema)).encode()).hexdigest()[:16]


def screens_of(schema: strawberry.Schema) -> Iterator[type[Composition]]:
    """Yield the compositions in private fields of types: `page: strawberry.Private[Page]`.

    Compositions that only resolvers name, and annotations that are strings, are not found.
    """
    for kind in graphql_schema(schema).type_map.values():
        origin = class_of(kind)
        if isinstance(origin, type) and get_object_definition(origin) is not None:
            for field in fields(origin):
                annotation = _bare(field.type)
                if isinstance(annotation, type) and issubclass(annotation, Composition):
                    yield annotation


def _bare(annotation: object) -> object:
    is_annotated = get_origin(annotation) is Annotated
    return get_args(annotation)[0] if is_annotated else annotation
