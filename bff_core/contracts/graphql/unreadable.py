"""`UnreadableSchema`: why the schema of a GraphQL service can't be read."""


class UnreadableSchema(ValueError):
    """The schema can't be read; the message says why, and what to do."""
