"""Authentication and authorization: who calls, and what the caller may do."""
