"""Reads the schema of a GraphQL service: from a file, or from the service by introspection."""

from bff_core.contracts.graphql.load import load, normalized

__all__ = ["load", "normalized"]
