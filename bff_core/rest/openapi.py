"""What OpenAPI has of views: problem details, the status of parts, lines of progressive answers.

The references in these constants are to `SCHEMAS`, which the gateway adds to its document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from bff_core.composition.part_status import State
from bff_core.edge.problem_details import MAX_ERRORS
from bff_core.edge.request_id import MAX_REQUEST_ID
from bff_core.rest.progressive_parts import EarlyPart
from bff_core.rest.value_limit import MAX_VALUES

Schema = dict[str, Any]

OWN_SCHEMAS: Final = "#/components/schemas/bff."
"""The references to `SCHEMAS`, until the gateway has chosen names that no model has."""


def own(name: str) -> Schema:
    """Return a reference to one of `SCHEMAS`."""
    return {"$ref": OWN_SCHEMAS + name}


def later(name: str) -> Schema:
    """Return what the gateway replaces by `own(name)`: pydantic refuses references to no model."""
    return {"type": "object", "$comment": OWN_SCHEMAS + name}


META_PARAMETER: Final[Schema] = {
    "name": "_meta",
    "in": "query",
    "required": False,
    "description": "`parts` adds `_meta.parts`: each part's status, age in seconds and reason. "
    "Any other value changes nothing.",
    "schema": {"type": "string"},
}

PROBLEM_CONTENT: Final[Schema] = {"application/problem+json": {"schema": own("Problem")}}

PROBLEM: Final[Schema] = {"description": "A problem (RFC 9457)", "content": PROBLEM_CONTENT}

_STATE: Final[Schema] = {"type": "string", "enum": list(get_args(State))}
_REASON: Final[Schema] = {
    "type": "string",
    "description": "Why the part is not complete: a stable word, such as `timeout`.",
}
_AGE: Final[Schema] = {
    "type": "integer",
    "minimum": 0,
    "description": "The age of a stored value, in seconds.",
}
_STATUS: Final[Schema] = {"status": _STATE, "reason": _REASON, "age": _AGE}
_PARTS: Final[Schema] = {"type": "object", "additionalProperties": own("PartStatus")}
_POSITION: Final[Schema] = {"type": "integer", "minimum": 1}

SCHEMAS: Final[dict[str, Schema]] = {
    "Problem": {
        "type": "object",
        "description": "Problem details (RFC 9457). Programs compare `code`, which is stable. "
        "An error may have further members.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "`/problems/<code>`, an identifier that need not resolve.",
            },
            "title": {"type": "string"},
            "status": {"type": "integer", "format": "int32", "minimum": 100, "maximum": 599},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "request_id": {
                "type": "string",
                "maxLength": MAX_REQUEST_ID,
                "description": "The same as in `X-Request-ID`.",
            },
            "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "part": {"type": "string", "description": "The critical part that failed."},
            "retry_after": {
                "type": "integer",
                "minimum": 1,
                "description": "Seconds to wait, in a problem within an answer; a response has "
                "`Retry-After`.",
            },
            "errors": {"type": "array", "maxItems": MAX_ERRORS, "items": own("ProblemError")},
        },
        "additionalProperties": True,
    },
    "ProblemError": {
        "type": "object",
        "description": "A fault of one input of the request.",
        "required": ["in", "pointer", "detail", "type"],
        "properties": {
            "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie", ""]},
            "pointer": {
                "type": "string",
                "description": "A JSON pointer (RFC 6901) into that part of the request.",
            },
            "detail": {"type": "string"},
            "type": {"type": "string"},
            "line": _POSITION,
            "column": _POSITION,
        },
    },
    "PartStatus": {
        "type": "object",
        "description": "How a part of the screen ended; `ok` and `stale` values are complete.",
        "required": ["status"],
        "properties": _STATUS,
    },
    "Meta": {
        "type": "object",
        "description": "How each part of the screen ended, by its name.",
        "required": ["parts"],
        "properties": {"parts": _PARTS},
    },
    "PartLine": {
        "type": "object",
        "description": "The line of a part that has ended.",
        "required": ["part", "status"],
        "properties": {"part": {"type": "string"}, **_STATUS},
    },
    "ProblemLine": {
        "type": "object",
        "description": "The last line of an answer that failed after its first line.",
        "required": ["problem", "parts"],
        "properties": {"problem": own("Problem"), "parts": _PARTS},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDocument:
    """What the gateway documents of a view.

    `status` is that of its answers. `has_parts` if it takes a composition, `has_tag` if its
    complete answers have an entity tag, `is_json` if they are the encoded result. `early_parts`
    are those of its progressive answer; None if it has none. `max_values` is the limit of its body.
    `function` is the user's.
    """

    status: int
    has_parts: bool
    has_tag: bool = False
    is_json: bool = False
    early_parts: Sequence[EarlyPart] | None = None
    max_values: int = MAX_VALUES
    function: Callable[..., object] | None = None


_DOCUMENT: Final = "__view_document__"


def documented(endpoint: Any, document: ViewDocument) -> None:
    """Set what the gateway documents of the endpoint of a view."""
    setattr(endpoint, _DOCUMENT, document)


def document_of(endpoint: object) -> ViewDocument | None:
    """Return what the gateway documents of an endpoint; None if it is no view."""
    return getattr(endpoint, _DOCUMENT, None)


def early_line(name: str, value: Schema) -> Schema:
    """Return the schema of the line of a part that is sent with its value."""
    properties = {"part": {"type": "string", "const": name}, **_STATUS, "value": value}
    return {"type": "object", "required": ["part", "status", "value"], "properties": properties}


def lines(answer: Schema, early_lines: Sequence[Schema]) -> Schema:
    """Return the schema of a line of a progressive answer, whose last line has `answer`."""
    last = {
        "type": "object",
        "description": "The last line: the same answer as in JSON, and the status of all parts.",
        "required": ["answer", "parts"],
        "properties": {"answer": answer, "parts": _PARTS},
    }
    return {
        "description": "One line. Each part has a line as it ends, with its value if the view "
        "sends that early; the last line has the answer, or a problem.",
        "anyOf": [*early_lines, own("PartLine"), last, own("ProblemLine")],
    }
