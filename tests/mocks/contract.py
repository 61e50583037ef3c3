"""A contract for the tests of mocks: pets, their orders, an upload."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService


def content(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a response, or a request body, of JSON."""
    return {"description": "", "content": {"application/json": {"schema": schema, **more}}}


def query(name: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a query parameter."""
    return {"name": name, "in": "query", "schema": schema, **more}


def of(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(name: str) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": of(name)}


PET_ID = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}

SCHEMAS: dict[str, Any] = {
    "Pet": {
        "type": "object",
        "required": ["id", "name"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "name": {"type": "string", "minLength": 2, "maxLength": 20},
            "status": {"type": "string", "enum": ["available", "sold"]},
            "email": {"type": "string", "format": "email"},
            "price": {"type": "number", "minimum": 1, "maximum": 500},
            "chip": {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
            "secret": {"type": "string", "writeOnly": True},
            "mother": of("Pet"),
        },
    },
    "PetSummary": {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    },
    "PetPage": {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": listed("PetSummary"),
            "next_cursor": {"type": "string", "nullable": True},
            "total": {"type": "integer"},
            "has_more": {"type": "boolean"},
        },
    },
    "Fault": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    },
    "Toy": {
        "type": "object",
        "required": ["sku"],
        "properties": {"sku": {"type": "string"}, "pet_id": {"type": "integer"}},
    },
}

PATHS: dict[str, Any] = {
    "/pets": {
        "get": {
            "operationId": "pets",
            "parameters": [
                query("limit", {"type": "integer", "minimum": 1, "maximum": 100}),
                query("cursor", {"type": "string"}),
                query("status", {"type": "string", "enum": ["available", "sold"]}),
                query("ids", {"type": "array", "items": {"type": "integer"}}),
            ],
            "responses": {"200": content(of("PetPage")), "422": content(of("Fault"))},
        },
        "post": {
            "requestBody": {"required": True, **content(of("Pet"))},
            "responses": {"201": content(of("Pet"))},
        },
    },
    "/pets/{petId}": {
        "parameters": [PET_ID],
        "get": {
            "operationId": "getPet",
            "responses": {"200": content(of("Pet")), "404": content(of("Fault"))},
        },
        "put": {
            "requestBody": {"required": True, **content(of("Pet"))},
            "responses": {"200": content(of("Pet"))},
        },
        "patch": {
            "requestBody": {"required": True, **content({"type": "object"})},
            "responses": {"204": {"description": ""}},
        },
        "delete": {"responses": {"204": {"description": ""}}},
    },
    "/pets/{petId}/toys": {
        "parameters": [PET_ID],
        "get": {
            "parameters": [query("page", {"type": "integer", "minimum": 1})],
            "responses": {"200": content(listed("Toy"))},
        },
    },
    "/toys": {
        "get": {
            "parameters": [query("skus", {"type": "string"}, required=True)],
            "responses": {
                "200": content({"type": "object", "additionalProperties": of("Toy")}),
            },
        }
    },
    "/orders/{id}": {
        "get": {
            "security": [{"key": []}, {"token": []}],
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "X-Shop", "in": "header", "schema": {"type": "integer"}},
                query(
                    "filter",
                    {"type": "object", "properties": {"year": {"type": "integer"}}},
                    style="deepObject",
                ),
            ],
            "responses": {
                "200": content(
                    {
                        "type": "object",
                        "properties": {"id": {"type": "string"}, "sum": {"type": "number"}},
                    },
                    examples={
                        "small": {"value": {"id": "a1", "sum": 3}},
                        "large": {"value": {"id": "b2", "sum": 900.5}},
                        "wrong": {"value": {"id": 5}},
                    },
                ),
                "503": content(of("Fault"), example={"code": 7, "message": "closed at night"}),
            },
        }
    },
    "/picture": {
        "get": {
            "responses": {
                "200": {
                    "description": "",
                    "content": {
                        "image/png": {"schema": {"type": "string", "format": "binary"}},
                        "text/csv": {"schema": {"type": "string"}, "example": "a,b"},
                    },
                }
            }
        },
    },
}


def document(**more: Any) -> dict[str, Any]:
    """Return the contract as JSON, with more members."""
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example/v2"}],
        "paths": PATHS,
        "components": {"schemas": SCHEMAS, "securitySchemes": schemes},
        **more,
    }


def pets(**options: Any) -> MockService:
    """Return the mock of the contract."""
    return MockService(parse(document()), **options)


@asynccontextmanager
async def calling(app: MockService) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a mock in this process."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        yield client
