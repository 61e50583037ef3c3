"""Serves a Strawberry schema over compositions; answers report the parts that are missing."""

from bff_core.extras import needs
from bff_core.public_names import publish

with needs("graphql", "bff_core.graphql"):
    from bff_core.graphql.context import Context, Info
    from bff_core.graphql.cost import QueryTooExpensive
    from bff_core.graphql.documents import RequestRefused
    from bff_core.graphql.face import GraphQL
    from bff_core.graphql.failures import PartMissing
    from bff_core.graphql.inputs import InputOutOfBounds
    from bff_core.graphql.part_fields import part, screen, value
    from bff_core.graphql.query_limits import FragmentCycle, QueryLimits, QueryTooLarge
    from bff_core.graphql.shape import Each, ShapeOf, each
    from bff_core.graphql.sizes import Cost, ListSize
    from bff_core.graphql.strawberry_field import FieldOptions, PartOptions

__all__ = [
    "Context",
    "Cost",
    "Each",
    "FieldOptions",
    "FragmentCycle",
    "GraphQL",
    "Info",
    "InputOutOfBounds",
    "ListSize",
    "PartMissing",
    "PartOptions",
    "QueryLimits",
    "QueryTooExpensive",
    "QueryTooLarge",
    "RequestRefused",
    "ShapeOf",
    "each",
    "part",
    "screen",
    "value",
]

publish(__name__, __all__)
