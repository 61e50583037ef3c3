"""Contracts: what OpenAPI documents and GraphQL schemas say, and how two of them differ."""
