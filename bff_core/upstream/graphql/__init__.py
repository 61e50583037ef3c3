"""Calls of GraphQL services: operations, their responses, and the client class."""
