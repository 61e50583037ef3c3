"""The bounds of inputs that the edge enforces: of URLs, headers, bodies, and their values.

Only what clients send gets them. An answer has the bounds that its types declare, and no others:
nothing else bounds its texts and lists.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final

from bff_core.edge.options import EdgeOptions
from bff_core.gateway.openapi.operation import Document, RestOperation, Schema
from bff_core.gateway.openapi.schemas import REFERENCE, schemas_of
from bff_core.rest.openapi import META_PARAMETER

_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)

_TEXTS: Final = frozenset({"const", "default", "enum", "example", "examples"})
"""Members of a schema that hold values, not schemas."""

_MAPS: Final = frozenset({"$defs", "patternProperties", "properties", "schemas"})
"""Members that hold schemas by names of the user's."""

_BINARY: Final = frozenset({"contentEncoding", "contentMediaType"})


def bound_inputs(
    operations: Sequence[RestOperation], document: Document, options: EdgeOptions
) -> None:
    """Document the limits of the edge where a declared text or list has none of its own.

    A value of a URL or a header is not longer than all of them may be, and no text in a body is
    longer than the body. A schema that answers use as well stays as it is.
    """
    known = schemas_of(document)
    in_answers = _reachable([one.responses for one in operations], known)
    bounds = _Bounds({name: one for name, one in known.items() if name not in in_answers})
    for operation in operations:
        for one in operation.parameters:
            # `_meta` is ignored unless it is `parts`: a longer text is no different.
            if one["name"] != META_PARAMETER["name"]:
                bounds.add(one.get("schema", {}), options.max_field_bytes, inf)
        limit, most = _body_limits(operation, options)
        for schema in operation.contents():
            bounds.add(schema, limit, most)
    bounds.apply()


def _body_limits(operation: RestOperation, options: EdgeOptions) -> tuple[float, float]:
    """Return the bytes of a body, and the values in it."""
    declared = operation.entry.body
    limit = options.max_body if declared is None else min(options.max_body, declared.limit)
    is_json = declared is not None and declared.kind == "json"
    return limit, operation.view.max_values if operation.view and is_json else inf


class _Bounds:
    """The bounds of schemas; one that several operations use has the widest of theirs."""

    def __init__(self, known: Mapping[str, Schema]) -> None:
        self._known = known
        self._found: dict[int, tuple[Schema, str, float]] = {}

    def add(self, schema: Schema, length: float, most: float) -> None:
        """Add the bounds of an input of `length` bytes and `most` values at most."""
        # Each item of a list takes two bytes at least, with the separator.
        most = min(most, length // 2)
        for one in _schemas_below(schema, self._known, set()):
            if one.get("type") == "string" and _is_open_text(one):
                self._widen(one, "maxLength", length)
            elif one.get("type") == "array" and "maxItems" not in one:
                self._widen(one, "maxItems", most)

    def _widen(self, schema: Schema, name: str, bound: float) -> None:
        _, _, known = self._found.get(id(schema), (schema, name, 0))
        self._found[id(schema)] = schema, name, max(known, bound)

    def apply(self) -> None:
        """Write the bounds into their schemas."""
        for schema, name, bound in self._found.values():
            schema[name] = int(bound)


def _is_open_text(schema: Schema) -> bool:
    is_listed = not schema.keys().isdisjoint({"maxLength", "enum", "const"})
    is_binary = schema.get("format") == "binary" or not _BINARY.isdisjoint(schema)
    return not (is_listed or is_binary)


def _schemas_below(node: Any, known: Mapping[str, Schema], visited: set[str]) -> Iterator[Schema]:
    """Yield the schemas in a node, and those that it refers to."""
    if isinstance(node, list):
        for one in node:
            yield from _schemas_below(one, known, visited)
    elif isinstance(node, dict):
        yield node
        name = str(node.get("$ref", "")).removeprefix(REFERENCE)
        if name in known and name not in visited:
            visited.add(name)
            yield from _schemas_below(known[name], known, visited)
        for key, one in node.items():
            if key in _MAPS and isinstance(one, dict):
                yield from _schemas_below([*one.values()], known, visited)
            elif key not in _TEXTS:
                yield from _schemas_below(one, known, visited)


def _reachable(nodes: list[Any], known: Mapping[str, Schema]) -> set[str]:
    visited: set[str] = set()
    for _ in _schemas_below(nodes, known, visited):
        pass
    return visited


def add_integer_formats(document: Document) -> None:
    """Add `int32` or `int64` to integers whose bounds are within it."""
    for one in _schemas_below(document, {}, set()):
        kind = one.get("type")
        is_integer = kind == "integer" or (isinstance(kind, list) and "integer" in kind)
        if is_integer and "format" not in one:
            least = one.get("minimum", one.get("exclusiveMinimum"))
            most = one.get("maximum", one.get("exclusiveMaximum"))
            for name, span in (("int32", _INT32), ("int64", _INT64)):
                if _is_within(least, span) and _is_within(most, span):
                    one["format"] = name
                    break


def _is_within(bound: object, span: range) -> bool:
    return isinstance(bound, int | float) and span.start <= bound < span.stop
