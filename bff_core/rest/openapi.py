"""The parameters, headers and problem details that every view has in OpenAPI."""

from typing import Any

from bff_core.edge.problem_details import MAX_ERRORS

META_PARAMETER: dict[str, Any] = {
    "name": "_meta",
    "in": "query",
    "required": False,
    "description": "`parts` adds `_meta.parts`: each part's status, age in seconds and reason. "
    "Any other value changes nothing.",
    "schema": {"type": "string"},
}

PART_STATUS: dict[str, Any] = {
    "description": "How each part of the screen ended (RFC 9651 dictionary): "
    "`product=ok, reviews=fallback;reason=timeout`.",
    "schema": {"type": "string"},
}

_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["in", "pointer", "detail", "type"],
    "properties": {
        "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie", ""]},
        "pointer": {"type": "string", "description": "A JSON pointer (RFC 6901)."},
        "detail": {"type": "string"},
        "type": {"type": "string"},
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
    },
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
        "errors": {"type": "array", "maxItems": MAX_ERRORS, "items": _ERROR_SCHEMA},
    },
}

PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": _PROBLEM_SCHEMA}},
}

_PART: dict[str, Any] = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["ok", "stale", "partial", "fallback", "missing", "forbidden"]},
        "reason": {"type": "string"},
        "age": {"type": "integer"},
    },
}

PROGRESSIVE: dict[str, Any] = {
    "application/x-ndjson": {
        "schema": {
            "type": "object",
            "description": "One line. Each part has a line as it ends, with `part`, `status` and, "
            "if the view sends the part early, `value`. The last line has the `answer`, the same "
            "as in JSON, or a `problem`, and the states of all `parts`.",
            "properties": _PART["properties"]
            | {
                "part": {"type": "string"},
                "value": {},
                "answer": {},
                "problem": _PROBLEM_SCHEMA,
                "parts": {"type": "object", "additionalProperties": _PART},
            },
        }
    }
}
"""The progressive form of a view's answer: lines, for clients that accept NDJSON."""
