"""The schemas of a document: the framework's own, of `_meta` and of lines, and their names."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import PydanticUserError, TypeAdapter

from bff_core.gateway.openapi.operation import Document, RestOperation, Schema
from bff_core.rest.openapi import META_PARAMETER, OWN_SCHEMAS, SCHEMAS, early_line, lines, own
from bff_core.rest.progressive_parts import EarlyPart, returned_by
from bff_core.rest.struct_schema import without_structs

REFERENCE: Final = "#/components/schemas/"
JSON: Final = "application/json"


def schemas_of(document: Document) -> dict[str, Schema]:
    """Return the schemas of a document by name."""
    found: dict[str, Schema] = document.setdefault("components", {}).setdefault("schemas", {})
    return found


def complete_answer(operation: RestOperation, document: Document) -> None:
    """Add `_meta` and the lines of the progressive answer to the answer of a view."""
    view = operation.view
    content = operation.responses.get(str(view.status), {}).get("content", {}) if view else {}
    if view is None or JSON not in content:
        return
    if view.has_parts:
        operation.add_parameter(META_PARAMETER)
        if view.is_json:
            content[JSON]["schema"] = with_meta(content[JSON].get("schema", {}), document)
    if view.early_parts is not None:
        shown = [_early(one, document) for one in view.early_parts]
        content["application/x-ndjson"] = deepcopy(
            {"schema": lines(content[JSON]["schema"], shown)}
        )


def use_line_schemas(operation: RestOperation) -> None:
    """Replace `itemSchema`, which OpenAPI has from version 3.2 on, by `schema`."""
    for response in operation.responses.values():
        for one in response.get("content", {}).values():
            if "itemSchema" in one:
                one["schema"] = one.pop("itemSchema")


def with_meta(schema: Schema, document: Document) -> Schema:
    """Return the schema of an answer that may have `_meta`, which only JSON objects have."""
    target = _resolved(schema, document)
    choices = target.get("anyOf") or target.get("oneOf")
    if choices and not all(_is_open_object(_resolved(one, document)) for one in choices):
        return {"anyOf": [with_meta(one, document) for one in choices]}
    meta = {"_meta": own("Meta")}
    if choices or _is_open_object(target):
        return {"allOf": [schema, {"type": "object", "properties": meta}]}
    if target.get("type") == "object":
        return target | {"properties": target.get("properties", {}) | meta}
    return schema


def _is_open_object(schema: Schema) -> bool:
    """Whether a schema is that of objects, and restricts no member that it does not name."""
    return schema.get("type") == "object" and schema.get("additionalProperties", True) is True


def _resolved(schema: Schema, document: Document) -> Schema:
    while "$ref" in schema:
        schema = schemas_of(document).get(schema["$ref"].removeprefix(REFERENCE), {})
    return schema


def _early(part: EarlyPart, document: Document) -> Schema:
    """Return the schema of a part that is sent early, with the type that its function returns."""
    schema = _schema_of(part.schema or returned_by(part.present))
    known = schemas_of(document)
    for name, one in schema.pop("$defs", {}).items():
        if known.setdefault(name, one) != one:
            schema = {}  # another model has this name
    return early_line(part.part.name, schema)


def _schema_of(kind: Any) -> Schema:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(without_structs(kind))
        return adapter.json_schema(mode="serialization", ref_template=f"{REFERENCE}{{model}}")
    except PydanticUserError:
        return {}


def rename_schemas(document: Document, names: Mapping[str, str]) -> None:
    """Give schemas other names, in references and titles too."""
    known = schemas_of(document)
    free = {old: new for old, new in names.items() if old in known and new not in known}
    for old, new in free.items():
        schema = known[new] = known.pop(old)
        if schema.get("title") == old:
            schema["title"] = new
    _replace(document, {REFERENCE + old: REFERENCE + new for old, new in free.items()})


def add_own_schemas(document: Document) -> None:
    """Add the framework's schemas that the document refers to.

    One whose name is that of a model of the user is called `BffProblem` instead of `Problem`.
    """
    _refer(document)
    known, names = schemas_of(document), {}
    wanted = list(_own_names(document))
    while wanted:
        name = wanted.pop()
        if name not in names:
            names[name] = f"Bff{name}" if name in known else name
            wanted += _own_names(SCHEMAS[name])
    known |= {names[name]: deepcopy(SCHEMAS[name]) for name in names}
    document["components"]["schemas"] = dict(sorted(known.items()))
    _replace(document, {OWN_SCHEMAS + old: REFERENCE + new for old, new in names.items()})


def _refer(node: object) -> None:
    """Replace what `later` returns by references."""
    if isinstance(node, dict):
        comment = node.get("$comment")
        if isinstance(comment, str) and comment.startswith(OWN_SCHEMAS):
            node.clear()
            node["$ref"] = comment
        for one in node.values():
            _refer(one)
    elif isinstance(node, list):
        for one in node:
            _refer(one)


def _own_names(node: object) -> Sequence[str]:
    """Return the names of the framework's schemas that are referred to below a node."""
    if isinstance(node, Mapping):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(OWN_SCHEMAS):
            return [reference.removeprefix(OWN_SCHEMAS)]
        return [name for one in node.values() for name in _own_names(one)]
    return [name for one in node for name in _own_names(one)] if isinstance(node, list) else []


def _replace(node: object, references: Mapping[str, str]) -> None:
    """Replace references below a node."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            node["$ref"] = references.get(reference, reference)
        for one in node.values():
            _replace(one, references)
    elif isinstance(node, list):
        for one in node:
            _replace(one, references)
