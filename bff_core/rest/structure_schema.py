"""The core schema of the structure of values: which fields they have, and under which names.

pydantic's serializers give up on a value of another type than the declared one, and write all of it
under its names in Python. A dataclass does not check the types of its fields, and msgspec makes
dicts of dataclasses, and strings of dates. So names are written by a schema that describes objects,
lists and dicts only, and takes any other value.
"""

from typing import Any, Final

import msgspec

_FORMS: Final = {"json-or-python": "json_schema", "lax-or-strict": "strict_schema"}
"""The member of a schema with two forms that describes its values."""

_ANY: Final = {"type": "any"}


def structure_schema(schema: Any, *, is_builtin: bool) -> Any:
    """Return the core schema of the structure of a type's values.

    With `is_builtin` it is that of what `msgspec.to_builtins` makes of them, which are dicts.
    """
    return _Structure(is_builtin=is_builtin).of(schema)


class _Structure:
    """Makes the schemas of a type, and of those in it."""

    def __init__(self, *, is_builtin: bool) -> None:
        self._is_builtin = is_builtin
        self._kinds: dict[str, Any] = {
            "typed-dict": self._dict_of_fields,
            "dataclass": self._dict_of_fields if is_builtin else self._dataclass,
            "list": self._array,
            "set": self._array,
            "frozenset": self._array,
            "generator": self._array,
            "tuple": self._tuple,
            "dict": self._dict,
            "union": self._union,
            "tagged-union": self._tagged_union,
            "definitions": self._definitions,
            "nullable": lambda one: {"type": "nullable", "schema": self.of(one["schema"])},
            "definition-ref": lambda one: {
                "type": "definition-ref", "schema_ref": one["schema_ref"]
            },
            "literal": self._literal,
        }  # fmt: skip

    def of(self, schema: Any) -> Any:
        """Return the schema of the structure of values; a reference to it stays valid."""
        make = self._kinds.get(schema["type"], self._other)
        found = make(schema)
        return found | {"ref": schema["ref"]} if "ref" in schema else found

    def _other(self, schema: Any) -> Any:
        inner = schema.get(_FORMS.get(schema["type"], "schema"))
        return _ANY if inner is None else self.of(inner)

    def _dict_of_fields(self, schema: Any) -> Any:
        fields = {
            name: {
                "type": "typed-dict-field",
                "schema": self.of(one["schema"]),
                "serialization_alias": one.get("serialization_alias", name),
                "required": one["type"] == "typed-dict-field" and one.get("required", True),
            }
            for name, one in _fields(schema).items()
        }
        return {"type": "typed-dict", "fields": fields}

    def _dataclass(self, schema: Any) -> Any:
        fields = [one | {"schema": self.of(one["schema"])} for one in _fields(schema).values()]
        arguments = {
            "type": "dataclass-args",
            "dataclass_name": schema["cls"].__name__,
            "fields": fields,
        }
        shape = {name: schema[name] for name in ("cls", "fields", "slots") if name in schema}
        return {"type": "dataclass", **shape, "schema": arguments}

    def _array(self, schema: Any) -> Any:
        return self._array_of(schema.get("items_schema", _ANY))

    def _tuple(self, schema: Any) -> Any:
        items = schema["items_schema"]
        if len(items) == 1 and "variadic_item_index" in schema:
            return self._array_of(items[0])
        return schema | {"items_schema": [*map(self.of, items)]}

    def _array_of(self, item: Any) -> Any:
        """Return the schema of a list; a field may as well have a tuple or a set instead of it."""
        items = self.of(item)
        kinds: list[Any] = [
            {"type": "list", "items_schema": items},
            {"type": "tuple", "items_schema": [items], "variadic_item_index": 0},
        ]
        if not self._is_builtin:
            kinds += [{"type": one, "items_schema": items} for one in ("set", "frozenset")]
        return {"type": "union", "choices": kinds}

    def _dict(self, schema: Any) -> Any:
        return {"type": "dict", "values_schema": self.of(schema.get("values_schema", _ANY))}

    def _union(self, schema: Any) -> Any:
        """Return the schema of a union; a member that takes any value comes last."""
        given = [one[0] if isinstance(one, tuple) else one for one in schema["choices"]]
        choices = sorted(map(self.of, given), key=lambda one: bool(one["type"] == "any"))
        return {"type": "union", "choices": choices}

    def _tagged_union(self, schema: Any) -> Any:
        choices = {tag: self.of(one) for tag, one in schema["choices"].items()}
        return {
            "type": "tagged-union", "choices": choices, "discriminator": schema["discriminator"]
        }  # fmt: skip

    def _definitions(self, schema: Any) -> Any:
        definitions = [*map(self.of, schema["definitions"])]
        inner = self.of(schema["schema"])
        return {"type": "definitions", "schema": inner, "definitions": definitions}

    def _literal(self, schema: Any) -> Any:
        """Return the schema of a literal: the tags of a union are literals."""
        if not self._is_builtin:
            return _ANY
        return {"type": "literal", "expected": msgspec.to_builtins(schema["expected"])}


def _fields(schema: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, whose schema its validators may wrap, or a typed dict."""
    while "fields" not in schema or schema["type"] == "dataclass":
        schema = schema["schema"]
    fields = schema["fields"]
    return fields if isinstance(fields, dict) else {one["name"]: one for one in fields}
