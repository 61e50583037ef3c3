"""A document without what generators stumble over: lines beside JSON, headers that clients set."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bff_core.codegen.names import pascal
from bff_core.codegen.openapi30.schemas import Schema, schema30
from bff_core.codegen.openapi30.unions import merged_unions

LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
REFERENCE: Final = "#/components/schemas/"


def for_generators(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document as one of 3.0 for generators of clients; see the guide.

    - Each answer has one media type. The lines of a stream get the schema `<Operation>Line`: those
      of a progressive answer are one object, of which each line has some members.
    - Several kinds of objects become one object; what not all of them require is optional.
    - The parameter `_meta` is left out: `Part-Status` has the same states.
    - Only schemas that some operation refers to are in the document.
    """
    schemas = dict(content.get("components", {}).get("schemas", {}))
    lines: dict[str, Schema] = {}
    paths = {
        path: {name: _operation(name, one, lines) for name, one in item.items()}
        for path, item in content.get("paths", {}).items()
    }
    components = {
        name: value for name, value in content.get("components", {}).items() if name != "pathItems"
    }
    used = _used({"paths": paths, "lines": lines}, schemas)
    components["schemas"] = {
        name: schema30(one) for name, one in sorted({**used, **_free(lines, used)}.items())
    }
    components = {name: _places(value) for name, value in components.items()}
    known = {"info": _info(content), "paths": _places(paths), "components": components}
    known = merged_unions(known, components["schemas"])
    others = {name: content[name] for name in ("servers", "tags", "security") if name in content}
    return {"openapi": "3.0.3", **known, **others}


def _info(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in content.get("info", {}).items() if name != "summary"}


def _operation(method: str, operation: Any, lines: dict[str, Schema]) -> Any:
    """Return an operation with one media type for each answer; add the schemas of its lines."""
    if method not in METHODS:
        return operation
    copied = dict(operation)
    copied["parameters"] = [one for one in copied.get("parameters", []) if not _is_meta(one)]
    responses = {}
    for status, response in copied.get("responses", {}).items():
        contents = dict(response.get("content", {}))
        stream = contents.pop(LINES, None) or contents.pop(EVENTS, None)
        if stream is not None:
            lines[f"{pascal(str(copied.get('operationId', method)))}Line"] = _line(stream)
            contents = contents or {LINES: {"schema": {"type": "string", "format": "binary"}}}
        responses[status] = {**response, **({"content": contents} if contents else {})}
    return {**copied, "responses": responses}


def _is_meta(parameter: Mapping[str, Any]) -> bool:
    return parameter.get("name") == "_meta" and parameter.get("in") == "query"


def _line(stream: Mapping[str, Any]) -> Schema:
    """Return the schema of a line; several kinds of lines become one object."""
    schema: Schema = stream.get("schema", {})
    options = schema.get("anyOf", [])
    if not any("answer" in one.get("properties", {}) for one in options):
        return schema
    members: Schema = {
        "part": {"type": "string"},
        "status": {"type": "string"},
        "reason": {"type": "string"},
        "age": {"type": "integer"},
        "value": {},
        "parts": {"type": "object", "additionalProperties": {"$ref": f"{REFERENCE}PartStatus"}},
        "problem": {"$ref": f"{REFERENCE}Problem"},
    }
    for option in options:
        if "answer" in option.get("properties", {}):
            members |= option["properties"]
    return {
        "type": "object",
        "description": "A line of a progressive answer: a part, the answer, or a problem.",
        "properties": members,
    }


def _free(lines: Mapping[str, Schema], used: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schemas of lines by names that no schema has."""
    return {name if name not in used else f"Gateway{name}": one for name, one in lines.items()}


def _used(node: object, schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schemas that are referred to, by other schemas too."""
    found: dict[str, Schema] = {}
    wanted = list(_references(node))
    while wanted:
        name = wanted.pop()
        if name in schemas and name not in found:
            found[name] = schemas[name]
            wanted += _references(schemas[name])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(REFERENCE):
            yield reference.removeprefix(REFERENCE)
        for name in node.get("discriminator", {}).get("mapping", {}).values() if node else ():
            yield str(name).removeprefix(REFERENCE)
    children = (
        node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    )
    for one in children:
        yield from _references(one)


def _places(node: Any) -> Any:
    """Return what is no schema, with the schemas in it converted."""
    if isinstance(node, list):
        return [_places(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: schema30(one) if name == "schema" else _places(one)
        for name, one in node.items()
        if name != "itemSchema"
    }
