"""Generates the typed operations of a GraphQL service from its schema and the user's documents."""

from bff_core.codegen.graphql.generate import generate
from bff_core.codegen.graphql.options import GeneratedGraphQL, GraphQLOptions

__all__ = ["GeneratedGraphQL", "GraphQLOptions", "generate"]
