"""Serves a Strawberry schema over compositions; answers report the parts that are missing."""

from bff_core.graphql.context import Context, Info
from bff_core.graphql.face import GraphQL
from bff_core.graphql.part_fields import part, screen, value
from bff_core.graphql.query_limits import QueryLimits
from bff_core.graphql.shape import ShapeOf, each
from bff_core.graphql.sizes import Cost, ListSize

__all__ = [
    "Context",
    "Cost",
    "GraphQL",
    "Info",
    "ListSize",
    "QueryLimits",
    "ShapeOf",
    "each",
    "part",
    "screen",
    "value",
]
