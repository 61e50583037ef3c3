"""`generate`: from a schema and documents to the modules of a service's package."""

from collections.abc import Mapping

from bff_core.codegen.graphql.options import Generated, GraphQLOptions
from bff_core.errors import ConfigurationError


class InvalidDocuments(ConfigurationError):
    """Documents do not fit the schema; the message lists all errors, each with its place."""


def generate(sdl: str, documents: Mapping[str, str], options: GraphQLOptions) -> Generated:
    """Return `operations.py` and `models.py` for the operations of documents.

    `documents` are the texts of the user's files by their path in the package, such as
    "operations/product.graphql". Without documents the result has a starter, and the operations of
    that starter. Raises `InvalidDocuments` with all errors, and `UnreadableSchema`.
    """
    raise NotImplementedError
