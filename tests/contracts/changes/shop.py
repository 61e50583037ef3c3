"""A small OpenAPI document of a shop, and edits of it."""

import copy
from typing import Any

REMOVED = object()
"""As the value of an edit: the member is deleted."""

PET = {"$ref": "#/components/schemas/Pet"}

SHOP: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://api.example.com/v1"}],
    "security": [{"token": ["read"]}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
                    },
                    {
                        "name": "kind",
                        "in": "query",
                        "schema": {"type": "string", "enum": ["cat", "dog"]},
                    },
                    {
                        "name": "tags",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {
                        "name": "X-Shop",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "A page",
                        "headers": {
                            "X-Total": {"required": True, "schema": {"type": "integer"}},
                            "Link": {"schema": {"type": "string"}},
                        },
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["items"],
                                    "properties": {
                                        "items": {"type": "array", "items": PET},
                                        "next": {"type": "string"},
                                    },
                                }
                            },
                            "text/csv": {"schema": {"type": "string"}},
                        },
                    },
                    "404": {"description": "No such shop"},
                },
            },
            "post": {
                "operationId": "addPet",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Draft"}},
                        "application/xml": {"schema": {"$ref": "#/components/schemas/Draft"}},
                    },
                },
                "responses": {"201": {"description": "Made"}},
            },
        },
        "/pets/{id}": {
            "get": {
                "operationId": "pet",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {
                        "description": "A pet",
                        "content": {"application/json": {"schema": PET}},
                    }
                },
            },
            "patch": {
                "operationId": "changePet",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"type": "object"}}},
                },
                "responses": {"204": {"description": "Changed"}},
            },
        },
        "/visits": {
            "get": {
                "operationId": "visits",
                "responses": {
                    "200": {
                        "description": "The last visitor",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Visitor"}}
                        },
                    }
                },
            },
            "put": {
                "operationId": "visit",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Visitor"}}
                    },
                },
                "responses": {"204": {"description": "Noted"}},
            },
        },
    },
    "components": {
        "securitySchemes": {
            "token": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://id.example.com/token",
                        "scopes": {"read": "Read", "write": "Write"},
                    }
                },
            },
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        },
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["id", "name", "kind", "price", "born", "owner"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string", "maxLength": 50},
                    "kind": {"type": "string", "enum": ["cat", "dog"]},
                    "price": {"type": "number"},
                    "age": {"type": "integer", "format": "int32"},
                    "born": {"type": "string", "format": "date-time"},
                    "owner": {"$ref": "#/components/schemas/Owner"},
                    "note": {"type": "string", "nullable": True},
                    "parent": PET,
                },
            },
            "Owner": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
            },
            "Draft": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 50},
                    "kind": {"type": "string", "enum": ["cat", "dog"]},
                    "price": {"type": "number", "default": 1},
                    "code": {"type": "string", "pattern": "^[a-z]+$"},
                    "note": {"type": "string", "nullable": True},
                    "count": {"type": "integer", "format": "int32"},
                    "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "Visitor": {
                "oneOf": [
                    {"$ref": "#/components/schemas/Member"},
                    {"$ref": "#/components/schemas/Guest"},
                ],
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {
                        "member": "#/components/schemas/Member",
                        "guest": "#/components/schemas/Guest",
                    },
                },
            },
            "Member": {
                "type": "object",
                "required": ["type", "number"],
                "properties": {"type": {"type": "string"}, "number": {"type": "integer"}},
            },
            "Guest": {
                "type": "object",
                "required": ["type", "name"],
                "properties": {"type": {"type": "string"}, "name": {"type": "string"}},
            },
        },
    },
}


def edited(document: dict[str, Any], edits: dict[str, Any]) -> dict[str, Any]:
    """Return a copy in which members are set or removed; the keys are paths with spaces."""
    result = copy.deepcopy(document)
    for path, value in edits.items():
        *steps, last = [int(step) if step.isdecimal() else step for step in path.split()]
        at: Any = result
        for step in steps:
            at = at[str(step)] if isinstance(at, dict) else at[step]
        key = str(last) if isinstance(at, dict) else last
        if value is REMOVED:
            del at[key]
        elif isinstance(at, list) and key == len(at):
            at.append(value)
        else:
            at[key] = value
    return result
