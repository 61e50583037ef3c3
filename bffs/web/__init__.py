"""The web gateway: what browsers select, over GraphQL."""
