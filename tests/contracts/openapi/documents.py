"""Small OpenAPI documents for tests."""

from collections.abc import Mapping
from typing import Any

from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.openapi import parse
from bff_core.contracts.types import Type


def content(*, openapi: str = "3.1.0", **members: Any) -> dict[str, Any]:
    """Return a document with some members, and the least that any has."""
    return {"openapi": openapi, "info": {"title": "Shop", "version": "1"}, "paths": {}} | members


def with_schemas(schemas: Mapping[str, Any], *, openapi: str = "3.1.0") -> Document:
    """Read a document that has only schemas."""
    return parse(content(openapi=openapi, components={"schemas": dict(schemas)}))


def type_of(schema: Any, *, openapi: str = "3.1.0", **others: Any) -> Type:
    """Return the type of a schema beside others."""
    return with_schemas({"It": schema, **others}, openapi=openapi).types["It"].type


def operation_of(node: Mapping[str, Any], *, path: str = "/pets", **members: Any) -> HttpOperation:
    """Return the operation GET of a path, as read."""
    (found,) = parse(content(paths={path: {"get": dict(node)}}, **members)).operations
    return found


def response(schema: Any, **more: Any) -> dict[str, Any]:
    """Return a response whose body is JSON."""
    return {"description": "", "content": {"application/json": {"schema": schema, **more}}}
