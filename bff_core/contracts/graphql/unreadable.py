"""`UnreadableSchema`: why the schema of a GraphQL service can't be read."""

from bff_core.errors import ConfigurationError


class UnreadableSchema(ConfigurationError):
    """The schema can't be read; the message says why, and what to do."""
