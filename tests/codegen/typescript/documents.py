"""Small OpenAPI documents of these tests, and the clients that are generated from them."""

from collections.abc import Mapping
from typing import Any

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.typescript import generate
from bff_core.contracts.openapi import parse

Schema = Mapping[str, Any]


def returning(schema: Schema | None, **operation: Any) -> dict[str, Any]:
    """Return an operation that answers 200 with JSON of this schema; None: without content."""
    content = {} if schema is None else {"application/json": {"schema": schema}}
    return {"responses": {"200": {"description": "", "content": content}}, **operation}


def document(paths: Mapping[str, Any], **schemas: Schema) -> dict[str, Any]:
    """Return a document with these paths and named schemas."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "shop", "version": "1"},
        "paths": dict(paths),
        "components": {"schemas": schemas},
    }


def client(paths: Mapping[str, Any], *, name: str = "shop", **schemas: Schema) -> str:
    """Return the text of the client that is generated from a document."""
    (text,) = generate(parse(document(paths, **schemas)), ClientOptions(gateway=name)).values()
    return text


def model(schema: Schema, **others: Schema) -> str:
    """Return the declaration of the schema `Model`, which an operation returns."""
    paths = {"/model": {"get": returning({"$ref": "#/components/schemas/Model"})}}
    text = client(paths, Model=schema, **others)
    start = text.index("export interface Model ") if "export interface Model " in text else -1
    start = start if start >= 0 else text.index("export type Model ")
    return text[start : text.index("\n\n", start)].strip()
