"""Completes the OpenAPI document of FastAPI with what the gateway adds to its operations."""
