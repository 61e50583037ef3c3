"""Which members the objects of an OpenAPI document have, and of which kind each is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.contracts.openapi.pointers import child

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

WITH_REFERENCE: Final = frozenset(
    {
        *("path item", "parameter", "header", "request body", "response", "example", "link"),
        *("callback", "schema", "security scheme", "media type"),
    }
)
"""Kinds of objects that `$ref` may stand for."""

WITH_EXTENSIONS: Final = frozenset({"path item", "response", "callback"})
"""Kinds in whose maps members `x-…` are extensions."""


@dataclass(frozen=True, slots=True)
class MemberRule:
    """What a member may be: one object of a kind, a list or a map of them, or a plain value."""

    shape: Literal["one", "list", "map", "value", "list or one", "list or flag"]
    kind: str = ""
    types: tuple[type, ...] = ()
    expected: str = ""


def _one(kind: str) -> MemberRule:
    return MemberRule("one", kind)


def _list(kind: str) -> MemberRule:
    return MemberRule("list", kind)


def _map(kind: str) -> MemberRule:
    return MemberRule("map", kind)


_TEXT: Final = MemberRule("value", types=(str, int, float), expected="a text")
_FLAG: Final = MemberRule("value", types=(bool,), expected="true or false")
_NUMBER: Final = MemberRule("value", types=(int, float), expected="a number")
_TEXTS: Final = _list("text")
_BOUND: Final = MemberRule("value", types=(int, float, bool), expected="a number")

_PARAMETER: Final[Mapping[str, MemberRule]] = {
    "name": _TEXT,
    "in": _TEXT,
    "description": _TEXT,
    "required": _FLAG,
    "deprecated": _FLAG,
    "style": _TEXT,
    "explode": _FLAG,
    "schema": _one("schema"),
    "content": _map("media type"),
    "examples": _map("example"),
}

_SCHEMA: Final[Mapping[str, MemberRule]] = {
    **dict.fromkeys(("title", "description", "format", "pattern", "contentEncoding"), _TEXT),
    **dict.fromkeys(("contentMediaType", "$id", "$anchor", "$dynamicAnchor"), _TEXT),
    **dict.fromkeys(("nullable", "readOnly", "writeOnly", "deprecated", "uniqueItems"), _FLAG),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _BOUND),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _NUMBER),
    **dict.fromkeys(("minProperties", "maxProperties"), _NUMBER),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _list("schema")),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), _one("schema")),
    **dict.fromkeys(("not", "if", "then", "else", "propertyNames"), _one("schema")),
    **dict.fromkeys(("contains", "unevaluatedItems", "contentSchema"), _one("schema")),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions"), _map("schema")),
    "dependentSchemas": _map("schema"),
    "items": MemberRule("list or one", "schema"),
    "type": MemberRule("list or one", "type name"),
    "enum": MemberRule("value", types=(list,), expected="a list"),
    "required": MemberRule("list or flag", "text", expected="a list of names of properties"),
    "discriminator": _one("discriminator"),
}

_PATH_ITEM: Final[Mapping[str, MemberRule]] = {
    **dict.fromkeys(METHODS, _one("operation")),
    "additionalOperations": _map("operation"),
    "summary": _TEXT,
    "description": _TEXT,
    "parameters": _list("parameter"),
    "servers": _list("server"),
}

GRAMMAR: Final[Mapping[str, Mapping[str, MemberRule]]] = {
    "document": {
        "info": _one("info"),
        "servers": _list("server"),
        "paths": _map("path item"),
        "webhooks": _map("path item"),
        "components": _one("components"),
        "security": _list("security requirement"),
    },
    "info": {"title": _TEXT, "version": _TEXT, "description": _TEXT, "summary": _TEXT},
    "server": {"url": _TEXT, "description": _TEXT, "variables": _map("server variable")},
    "server variable": {"default": _TEXT, "enum": _TEXTS},
    "components": {
        "schemas": _map("schema"),
        "parameters": _map("parameter"),
        "headers": _map("header"),
        "requestBodies": _map("request body"),
        "responses": _map("response"),
        "examples": _map("example"),
        "links": _map("link"),
        "callbacks": _map("callback"),
        "pathItems": _map("path item"),
        "securitySchemes": _map("security scheme"),
        "mediaTypes": _map("media type"),
    },
    "path item": _PATH_ITEM,
    "operation": {
        "operationId": _TEXT,
        "summary": _TEXT,
        "description": _TEXT,
        "tags": _TEXTS,
        "parameters": _list("parameter"),
        "requestBody": _one("request body"),
        "responses": _map("response"),
        "callbacks": _map("callback"),
        "deprecated": _FLAG,
        "security": _list("security requirement"),
        "servers": _list("server"),
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "request body": {
        "description": _TEXT,
        "required": _FLAG,
        "content": _map("media type"),
    },
    "response": {
        "description": _TEXT,
        "headers": _map("header"),
        "content": _map("media type"),
        "links": _map("link"),
    },
    "media type": {
        "schema": _one("schema"),
        "itemSchema": _one("schema"),
        "examples": _map("example"),
        "encoding": _map("encoding"),
    },
    "encoding": {"contentType": _TEXT, "headers": _map("header")},
    "example": {},
    "link": {},
    "callback": {},
    "schema": _SCHEMA,
    "discriminator": {"propertyName": _TEXT, "mapping": _map("text")},
    "security scheme": {
        **dict.fromkeys(("type", "scheme", "in", "name", "description"), _TEXT),
        "flows": _one("flows"),
    },
    "flows": {"clientCredentials": _one("flow")},
    "flow": {"tokenUrl": _TEXT},
    "security requirement": {},
}
"""The members that a reader uses, by the kind of the object; it ignores all others."""

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "parameter": ("name", "in"),
    "server": ("url",),
    "security scheme": ("type",),
}
"""Members without which an object has no meaning."""

VALUES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "text": ((str, int, float), "a text"),
    "type name": ((str,), "the name of a type, or a list of them"),
}
"""Kinds of plain values in lists and maps."""

TYPE_NAMES: Final = (
    *("array", "boolean", "integer", "null", "number", "object", "string"),
    "file",  # Swagger 2.0; documents that were converted by hand have it
)


def members_of(node: Mapping[str, object], kind: str) -> Iterator[tuple[str, object, str]]:
    """Yield the objects in an object of a kind: key or keys, value, kind. Skip wrong ones."""
    for key, value in node.items():
        rule = MemberRule("one", "path item") if kind == "callback" else GRAMMAR[kind].get(key)
        if rule is None or rule.kind in VALUES:
            continue
        if rule.shape == "map" and isinstance(value, dict):
            yield from ((child(key, name), one, rule.kind) for name, one in value.items())
        elif isinstance(value, list):
            yield from ((f"{key}/{index}", one, rule.kind) for index, one in enumerate(value))
        elif rule.shape in {"one", "list or one"}:
            yield key, value, rule.kind
