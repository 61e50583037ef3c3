"""Generates the typed operations of a GraphQL service from its schema and the user's documents."""

from bff_core.codegen.graphql.generate import InvalidDocuments, generate
from bff_core.codegen.graphql.options import Generated, GraphQLOptions

__all__ = ["Generated", "GraphQLOptions", "InvalidDocuments", "generate"]
