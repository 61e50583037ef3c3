"""Writes the OpenAPI 3.0 document that generators for Kotlin, Swift and others read best."""

from bff_core.codegen.openapi30.document import for_generators

__all__ = ["for_generators"]
