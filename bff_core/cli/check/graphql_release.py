"""The GraphQL schema of a gateway in the schema language."""

from graphql import lexicographic_sort_schema, print_schema

from bff_core.compat.strawberry import graphql_schema
from bff_core.gateway.app import Gateway
from bff_core.graphql.face import GraphQL


def schema_text(app: Gateway) -> str | None:
    """Return the schema of a gateway, sorted by name, so that it compares line by line."""
    for face in app.config.faces:
        if isinstance(face, GraphQL):
            return f"{print_schema(lexicographic_sort_schema(graphql_schema(face.schema)))}\n"
    return None
