"""Reads objects and lists: their properties, their items."""

from collections.abc import Callable, Iterator
from typing import Any

from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.plain_types import limits_of, union_of
from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, reference_in
from bff_core.contracts.types import Anything, Array, Field, Json, Map, ObjectType, Tuple, Type

_MAX_DEPTH = 10


class Annotations:
    """Reads the annotations of schemas, such as `description` and `default`."""

    def __init__(self, references: References) -> None:
        self._references = references

    def find(self, node: Any, key: str, *, refers: bool = False) -> tuple[Json, ...]:
        """Return an annotation of a schema or of the parts of its `allOf`; () without one.

        With `refers`, also of what it refers to.
        """
        return next(self._values(node, key, refers, 0), ())

    def text(self, node: Any, key: str) -> str:
        """Return an annotation that is a text, or an empty one."""
        found = self.find(node, key)
        return str(found[0]) if found and found[0] is not None else ""

    def flag(self, node: Any, key: str, *, refers: bool = False) -> bool:
        """Return an annotation that is true or false."""
        return self.find(node, key, refers=refers) == (True,)

    def _values(self, node: Any, key: str, refers: bool, depth: int) -> Iterator[tuple[Json, ...]]:
        if not isinstance(node, dict) or depth > _MAX_DEPTH:
            return
        if key in node:
            yield (node[key],)
        for part in reversed(node.get("allOf") or ()):
            yield from self._values(part, key, refers, depth + 1)
        if refers and reference_in(node):
            yield from self._values(self._references.target(node).node, key, refers, depth + 1)


def examples_of(node: Any) -> tuple[Json, ...]:
    """Return the examples of a schema: `example`, and the list `examples` of OpenAPI 3.1."""
    if not isinstance(node, dict):
        return ()
    several = node.get("examples")
    one = (node["example"],) if "example" in node else ()
    return (*one, *(several if isinstance(several, list) else ()))


class ObjectReader:
    """Reads schemas of objects and lists; `type_of` reads those of their members."""

    def __init__(
        self, annotations: Annotations, notes: Notes, type_of: Callable[[Any, str], Type]
    ) -> None:
        self._annotations = annotations
        self._notes = notes
        self._type_of = type_of

    def array(self, node: Node, pointer: str) -> Array | Tuple:
        """Return the type of a list."""
        items = node.get("items")
        first = node.get("prefixItems") or (items if isinstance(items, list) else None)
        limits = limits_of("array", node)
        if first:
            place = f"{pointer}/prefixItems"
            kinds = [self._type_of(one, f"{place}/{index}") for index, one in enumerate(first)]
            length = node.get("maxItems")
            if items is False or (isinstance(length, int) and length <= len(kinds)):
                return Tuple(tuple(kinds))
            if not isinstance(items, dict):
                self._notes.add(pointer, "types of the first items of a longer list are not used")
                return Array(Anything(), limits)
            return Array(union_of([*kinds, self._type_of(items, f"{pointer}/items")]), limits)
        if items is False:
            return Array(Anything(), {**limits, "maxItems": 0})
        return Array(self._type_of(True if items is None else items, f"{pointer}/items"), limits)

    def object(self, node: Node, pointer: str) -> ObjectType | Map:
        """Return the type of an object: a map, unless it has properties or is closed."""
        fields = tuple(self._fields(node, pointer))
        others = self._others(node, pointer)
        closed = node.get("additionalProperties") is False
        closed = closed or node.get("unevaluatedProperties") is False
        is_closed = closed and others is None
        if fields or is_closed:
            return ObjectType(fields, others, is_closed)
        return Map(Anything() if others is None else others, limits_of("object", node))

    def _others(self, node: Node, pointer: str) -> Type | None:
        """Return the type of properties that the schema does not name."""
        found = []
        for pattern, schema in (node.get("patternProperties") or {}).items():
            found.append(self._type_of(schema, child(f"{pointer}/patternProperties", pattern)))
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            schema = node.get(keyword)
            if schema is not None and schema is not False:
                found.append(self._type_of(schema, f"{pointer}/{keyword}"))
                break
        return union_of(found) if found else None

    def _fields(self, node: Node, pointer: str) -> Iterator[Field]:
        required = node.get("required") or []
        if not isinstance(required, list):
            self._notes.add(pointer, "`required` of a schema is a list; another value is ignored")
            required = []
        properties = node.get("properties") or {}
        for name, schema in properties.items():
            place = child(f"{pointer}/properties", name)
            if schema is False:
                self._notes.add(place, "a property that no value may have is left out")
            elif schema is not None:
                yield self._field(name, schema, place, is_required=name in required)
        for name in required:
            if name not in properties:
                yield Field(str(name), Anything(), is_required=True)
        for name, schema, place in _conditional(node, pointer):
            if name not in properties and name not in required:
                yield self._field(name, schema, place, is_required=False)

    def _field(self, name: str, schema: Any, pointer: str, *, is_required: bool) -> Field:
        find = self._annotations
        default = find.find(schema, "default", refers=True)
        return Field(
            name=name,
            type=self._type_of(schema, pointer),
            is_required=is_required,
            is_read_only=find.flag(schema, "readOnly", refers=True),
            is_write_only=find.flag(schema, "writeOnly", refers=True),
            is_deprecated=find.flag(schema, "deprecated"),
            has_default=bool(default),
            default=default[0] if default else None,
            description=find.text(schema, "description"),
            examples=examples_of(schema),
        )


def _conditional(node: Node, pointer: str) -> Iterator[tuple[str, Any, str]]:
    """Yield the properties that an object has under conditions; they are read as optional."""
    branches = [(node.get(keyword), f"{pointer}/{keyword}") for keyword in ("then", "else")]
    for name, schema in (node.get("dependentSchemas") or {}).items():
        branches.append((schema, child(f"{pointer}/dependentSchemas", name)))
    met: set[str] = set()
    for branch, place in branches:
        properties = branch.get("properties") if isinstance(branch, dict) else None
        for name, schema in (properties or {}).items():
            if name not in met and isinstance(schema, dict):
                met.add(name)
                yield name, schema, child(f"{place}/properties", name)
