"""Reads the schema of a GraphQL service: from a file, or from the service by introspection."""

from bff_core.contracts.graphql.load import load, normalized
from bff_core.contracts.graphql.unreadable import UnreadableSchema

__all__ = ["UnreadableSchema", "load", "normalized"]
