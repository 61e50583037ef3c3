"""What the face reads from a Strawberry schema: the graphql-core schema inside, its screens."""

from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256
from typing import Annotated, get_args, get_origin

import strawberry
from graphql import print_schema

from bff_core.compat.strawberry import class_of, get_object_definition, graphql_schema
from bff_core.composition.composition import Composition


def shape_of(schema: strawberry.Schema) -> str:
    """Return a hash of all that a schema says: what its answers look like."""
    return sha256(print_schema(graphql_schema(schema)).encode()).hexdigest()[:16]


def screens_of(schema: strawberry.Schema) -> Iterator[type[Composition]]:
    """Return the compositions that types hold privately: `page: strawberry.Private[Page]`.

    Types that only name theirs in strings, or build them in resolvers, are found when first used.
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
