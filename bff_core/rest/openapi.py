"""What every view tells of itself in OpenAPI beside its own parameters and model."""

from typing import Any

META_PARAMETER: dict[str, Any] = {
    "name": "_meta",
    "in": "query",
    "required": False,
    "description": "`parts` adds `_meta.parts`: each part's status, age in seconds and reason.",
    "schema": {"type": "string", "enum": ["parts"]},
}

PART_STATUS: dict[str, Any] = {
    "description": "How each part of the screen ended (RFC 9651 dictionary): "
    "`product=ok, reviews=fallback;reason=timeout`.",
    "schema": {"type": "string"},
}

_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "trace_id": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": _PROBLEM_SCHEMA}},
}
