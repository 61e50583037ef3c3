"""Another judge of values: jsonschema-rs, over the schemas as they stand in the document."""

from typing import Any
from urllib.parse import quote

import jsonschema_rs

from bff_core.contracts.openapi.pointers import segments

LIMITS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "not", "propertyNames", "contains"),
    }
)
"""What types don't say of values, and so is no matter here."""

DOCUMENT = "urn:document"


class Referee:
    """Judges values by the schemas of a document."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._registry = jsonschema_rs.Registry([(DOCUMENT, plain(content))])

    def accepts(self, pointer: str, value: object) -> bool:
        """Whether the schema at a pointer accepts a value; without a schema, any is accepted."""
        if not self._has(pointer):
            return True
        schema = {"$ref": f"{DOCUMENT}{quote(pointer, safe='#/~')}"}
        validator = jsonschema_rs.Draft202012Validator(schema, registry=self._registry)
        return validator.is_valid(value)

    def _has(self, pointer: str) -> bool:
        node: Any = self._content
        for key in segments(pointer.removeprefix("#")):
            if isinstance(node, dict) and key not in node:
                return False
            node = node[int(key)] if isinstance(node, list) else node[key]
        return True


def plain(node: Any) -> Any:
    """Return schemas of OpenAPI 3.0 as JSON Schema, without limits; `oneOf` as `anyOf`."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: plain(value) for key, value in node.items() if not _is_limit(key, value)}
    if isinstance(result.get("required"), bool):
        del result["required"]
    if "oneOf" in result and "anyOf" not in result:
        result["anyOf"] = result.pop("oneOf")
    if result.pop("nullable", None) is True:
        return {"anyOf": [result, {"type": "null"}]}
    return result


def _is_limit(key: str, value: Any) -> bool:
    """Whether a member is a limit, not a property of that name."""
    return key in LIMITS and (key == "not" or not isinstance(value, dict))
