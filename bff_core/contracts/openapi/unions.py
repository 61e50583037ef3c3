"""Reads `oneOf` and `anyOf`, and what a schema says of all their options."""

from collections.abc import Callable
from math import prod
from typing import Any, Final

from bff_core.contracts.openapi.discriminators import Discriminators, UnionOption
from bff_core.contracts.openapi.extension import UNION_KEYS, Extension
from bff_core.contracts.openapi.inheritance import Inheritance
from bff_core.contracts.openapi.merging import UNIONS
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.plain_types import (
    is_constraint,
    is_null,
    nullable,
    says_more,
    union_of,
)
from bff_core.contracts.openapi.pointers import Node
from bff_core.contracts.openapi.references import References, Referent, reference_in
from bff_core.contracts.types import ObjectType, Ref, Type

MAX_COMBINATIONS: Final = 64
"""Options of several unions of one schema, multiplied."""


class UnionReader:
    """Reads the unions of a document.

    `type_of` reads any schema, `plain` one without references and `allOf`. `add_named` gives an
    option that is merged with its base a name.
    """

    def __init__(
        self,
        references: References,
        inheritance: Inheritance,
        extension: Extension,
        notes: Notes,
        *,
        type_of: Callable[[Any, str], Type],
        plain: Callable[[Node, str], Type],
        refer: Callable[[Referent], Ref],
        add_named: Callable[[Type, Referent, str], Ref],
    ) -> None:
        self._references = references
        self._inheritance = inheritance
        self._extension = extension
        self._notes = notes
        self._type_of = type_of
        self._plain = plain
        self._refer = refer
        self._add_named = add_named
        self.discriminators = Discriminators(references, notes, self._properties)

    def read(self, node: Node, pointer: str) -> Type:
        """Return the type of a schema with `oneOf` or `anyOf`."""
        groups = node.get(UNIONS) or [(node, key) for key in ("oneOf", "anyOf") if node.get(key)]
        base = {key: node[key] for key in node if key not in UNION_KEYS and key != "nullable"}
        real = [(part, key) for part, key in groups if not all(map(is_constraint, part[key]))]
        if len(real) < len(groups):
            self._notes.add(pointer, "alternatives that only constrain are not represented")
        if not real:
            return self._plain(base, pointer)
        if prod(len(part[key]) for part, key in real) > MAX_COMBINATIONS and len(real) > 1:
            self._notes.add(pointer, "of several unions only the first is represented")
        elif len(real) > 1:
            base[UNIONS] = real[1:]
        return self._union(*real[0], base, pointer)

    def _union(self, part: Node, key: str, base: Node, pointer: str) -> Type:
        spec = part.get("discriminator")
        options: list[UnionOption] = []
        allows_null = "null" in _names(base)
        for index, schema in enumerate(part[key]):
            refers = isinstance(schema, dict) and bool(reference_in(schema))
            if is_null(self._references.end(schema, "")[0] if refers else schema):
                allows_null = True
                continue
            kind = self._option(schema, base, f"{pointer}/{key}/{index}")
            target = self._references.target(schema) if refers else None
            if spec and target and isinstance(kind, ObjectType):
                kind = self._add_named(kind, target, pointer)
            options.append(UnionOption(kind, target))
        union = self._discriminated(options, spec, pointer)
        return nullable(union) if allows_null else union

    def _discriminated(self, options: list[UnionOption], spec: Any, pointer: str) -> Type:
        """Return the union of options; without a discriminator of its own it has that of a base.

        If the options are all that extend the base, the union is the base.
        """
        types = [option.type for option in options]
        if spec:
            return union_of(types, self.discriminators.read(spec, options, pointer))
        targets = [option.target for option in options if option.target]
        refers = len(targets) == len(options) > 1 and all(isinstance(one, Ref) for one in types)
        found = refers and self._inheritance.base_of({target.pointer for target in targets})
        if not found:
            return union_of(types)
        base, is_whole = found
        if is_whole and base.pointer != pointer:
            return self._refer(base)
        spec = base.node["discriminator"] if isinstance(base.node, dict) else None
        return union_of(types, self.discriminators.read(spec, options, pointer, partial=True))

    def _option(self, schema: Any, base: Node, pointer: str) -> Type:
        """Return the type of an option, which is merged with what holds for all options."""
        if not isinstance(schema, dict):
            return self._type_of(schema, pointer)
        if not says_more({**base, "type": "object"}):
            says_type = {"type", "$ref", "allOf", "oneOf", "anyOf", "enum", "const"} & schema.keys()
            typed = (
                schema if says_type or not base.get("type") else {**schema, "type": base["type"]}
            )
            return self._type_of(typed, pointer)
        parts = self._extension.flat(schema)
        if reference_in(schema) and _covers(self._extension.merge(parts, pointer), base):
            return self._type_of(schema, pointer)
        return self._plain(self._extension.merge([base, *parts], pointer), pointer)

    def _properties(self, node: Node) -> Node:
        found: Node = self._extension.merge(self._extension.flat(node), "#").get("properties") or {}
        return found


def _names(base: Node) -> list[str]:
    names = base.get("type") or []
    return names if isinstance(names, list) else [names]


def _covers(option: Node, base: Node) -> bool:
    """Whether an option says itself what holds for all options."""
    if base.keys() - {"type", "properties", "required"} and says_more(
        {key: base[key] for key in base if key not in {"type", "properties", "required"}}
    ):
        return False
    properties = option.get("properties") or {}
    required = base.get("required") or []
    if not isinstance(required, list):
        required = []
    has = (base.get("properties") or {}).keys() <= properties.keys()
    return has and set(required) <= set(option.get("required") or [])
