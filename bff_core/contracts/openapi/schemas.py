"""Turns schemas into types, and gives those a name that need one."""

from typing import Any, Final

from bff_core.contracts.document import NamedType
from bff_core.contracts.openapi.discriminators import UnionOption, mapped
from bff_core.contracts.openapi.extension import Extension, SchemaPart
from bff_core.contracts.openapi.inheritance import Inheritance
from bff_core.contracts.openapi.merging import UNIONS
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.objects import Annotations, ObjectReader, examples_of
from bff_core.contracts.openapi.plain_types import (
    enum_of,
    nullable,
    says_more,
    scalar,
    type_names,
    union_of,
)
from bff_core.contracts.openapi.pointers import Node, child, last_segment
from bff_core.contracts.openapi.references import References, Referent, reference_in
from bff_core.contracts.openapi.type_names import suggested_name, unique_name
from bff_core.contracts.openapi.unions import UnionReader
from bff_core.contracts.types import Anything, Ref, Scalar, Type

_LOST: Final = (
    *("not", "if", "dependentSchemas", "dependentRequired", "dependencies", "propertyNames"),
    *("contains", "unevaluatedItems"),
)
"""Keywords that a type can't say."""

_Combination = tuple[frozenset[str], frozenset[int]]
"""What is merged: the schemas that are referred to, and the ids of those that are not."""


class SchemaReader:
    """Reads the schemas of one checked document. `types` has all that have a name."""

    def __init__(self, content: Node, references: References, notes: Notes) -> None:
        self.types: dict[str, NamedType] = {}
        self.annotations = Annotations(references)
        self._references = references
        self._notes = notes
        self._schemas: Node = (content.get("components") or {}).get("schemas") or {}
        self._inheritance = Inheritance(self._schemas, references)
        openapi = str(content["openapi"])
        self._extension = Extension(references, self._inheritance, notes, openapi)
        self._objects = ObjectReader(self.annotations, notes, self.type_of)
        self._unions = UnionReader(
            references,
            self._inheritance,
            self._extension,
            notes,
            type_of=self.type_of,
            plain=self._plain,
            refer=lambda target: Ref(self._name(target)),
            add_named=self._name_option,
        )
        self._names: dict[str, str] = {}
        self._pending: list[tuple[str, Referent]] = []
        self._active: dict[_Combination, str] = {}
        self._combinations: dict[tuple[_Combination, str], tuple[Type, list[SchemaPart]]] = {}

    def read_components(self) -> None:
        """Read all schemas with a name, in the order of the document."""
        for name, node in self._schemas.items():
            pointer = child("#/components/schemas", name)
            self._names[pointer] = name
            self._pending.append((name, Referent(node, pointer)))
        self.read_pending()

    def read_pending(self) -> None:
        """Read the schemas that others referred to, and that have no name in the document."""
        while self._pending:
            pending, self._pending = self._pending, []
            for name, target in pending:
                children = self._inheritance.children(target)
                kind = (
                    self._base(name, target.node, target, children)
                    if children and isinstance(target.node, dict)
                    else self.type_of(target.node, target.pointer)
                )
                self._add(name, kind, target)

    def type_of(self, node: Any, pointer: str) -> Type:
        """Return the type of a schema."""
        if not isinstance(node, dict):
            if node is False:
                self._notes.add(pointer, "no value is valid; it is read as any value")
            return Anything()
        if reference_in(node) or node.get("allOf"):
            return self._combined(node, pointer)
        return self._plain(node, pointer)

    def _add(self, name: str, kind: Type, target: Referent) -> None:
        node = target.node
        self.types[name] = NamedType(
            name=name,
            type=kind,
            description=self.annotations.text(node, "description"),
            examples=examples_of(node),
            is_deprecated=self.annotations.flag(node, "deprecated"),
            pointer=target.pointer,
        )

    def _base(self, name: str, node: Node, target: Referent, children: list[Referent]) -> Type:
        """Return the union of the schemas that extend one with a discriminator.

        If its mapping has the schema itself, that is an option, too, with a name of its own.
        """
        pointer = target.pointer
        options = [UnionOption(Ref(self._name(one)), one) for one in children]
        mapping = mapped(node["discriminator"], self._references, lambda _: None)
        if any(one.pointer == pointer for one in mapping.values()):
            own = self._free_name(f"{name}Base")
            self._add(own, self._plain(self._extension.whole(node, pointer), pointer), target)
            options.append(UnionOption(Ref(own), target))
        found = self._unions.discriminators.read(node["discriminator"], options, pointer)
        kind = union_of((option.type for option in options), found)
        return nullable(kind) if node.get("nullable") else kind

    def _name(self, target: Referent) -> str:
        """Return the name of a schema that is referred to; give it one if it has none."""
        name = self._names.get(target.pointer)
        if name is None:
            name = self._free_name(suggested_name(target.pointer))
            self._names[target.pointer] = name
            self._pending.append((name, target))
        return name

    def _free_name(self, wanted: str) -> str:
        taken = {*self._schemas, *self._names.values(), *self.types, *self._active.values()}
        return unique_name(wanted, taken)

    def _name_option(self, kind: Type, target: Referent, pointer: str) -> Ref:
        name = self._free_name(last_segment(pointer) + self._name(target))
        self._add(name, kind, target)
        return Ref(name)

    def _combined(self, node: Node, pointer: str) -> Type:
        """Return the type of a schema with a reference or `allOf`."""
        parts = list(self._extension.parts(node))
        targets = {part.target.pointer: part.target for part in parts if part.target}
        more = [id(part.source) for part in parts if says_more(part.keywords)]
        if len(targets) == 1 and not more:
            target = next(iter(targets.values()))
            if isinstance(target.node, bool):
                return self.type_of(target.node, target.pointer)
            if not self._inheritance.leads_back(target, pointer):
                found = Ref(self._name(target))
                allows_null = any(part.keywords.get("nullable") for part in parts)
                return nullable(found) if allows_null else found
        counted = [one for one in parts if says_more(one.keywords) or one.keywords.get("nullable")]
        key = (frozenset(targets), frozenset(id(part.source) for part in counted))
        own = pointer if pointer in self._names else ""
        if (key, own) not in self._combinations:  # with the parts, so that their ids stay theirs
            self._combinations[key, own] = (self._merged(node, pointer, key), counted)
        return self._combinations[key, own][0]

    def _merged(self, node: Node, pointer: str, key: _Combination) -> Type:
        """Return the type of several schemas in one, which gets a name if it contains itself."""
        if key in self._active:
            wanted = "And".join(map(last_segment, sorted(key[0]))) or suggested_name(pointer)
            self._active[key] = self._active[key] or self._free_name(wanted)
            return Ref(self._active[key])
        self._active[key] = ""
        kind = self._plain(self._extension.whole(node, pointer), pointer)
        name = self._active.pop(key)
        if not name:
            return kind
        self._add(name, kind, Referent(node, pointer))
        return Ref(name)

    def _plain(self, node: Node, pointer: str) -> Type:
        """Return the type of a schema without references and `allOf`."""
        for key in _LOST:
            if node.get(key) is not None:
                self._notes.add(pointer, f"`{key}` is not represented")
        if "const" in node or node.get("enum") is not None:
            kind = self._enum(node, pointer)
        elif any(node.get(key) for key in ("oneOf", "anyOf", UNIONS)):
            kind = self._unions.read(node, pointer)
        else:
            kind = self._shape(node, pointer)
        return nullable(kind) if node.get("nullable") else kind

    def _shape(self, node: Node, pointer: str) -> Type:
        """Return the type of a schema by its `type`, and by the keywords of that type."""
        names = type_names(node)
        if not names and node.get("required"):
            names = ["object"]
        options = [self._of_type(name, node, pointer) for name in names if name != "null"]
        if names and not options:
            self._notes.add(pointer, "only null is valid; it is read as any value")
        kind = union_of(options)
        return nullable(kind) if "null" in names else kind

    def _of_type(self, name: str, node: Node, pointer: str) -> Type:
        match name:
            case "object":
                return self._objects.object(node, pointer)
            case "array":
                return self._objects.array(node, pointer)
            case _:
                return scalar(name, node)

    def _enum(self, node: Node, pointer: str) -> Type:
        values = [node["const"]] if "const" in node else list(node["enum"])
        pairs = [
            pair for pair in zip(values, _labels(node, values), strict=True) if pair[0] is not None
        ]
        if not pairs or any(isinstance(value, list | dict) for value, _ in pairs):
            self._notes.add(pointer, "an enum of null, lists or objects is not represented")
            kind = self._shape(
                {key: node[key] for key in node if key not in {"enum", "const"}}, pointer
            )
        elif type_names(node)[:1] == ["boolean"] and {True, False} == {one for one, _ in pairs}:
            kind = Scalar("boolean")
        else:
            if type_names(node) == ["string"] and any(not isinstance(one, str) for one, _ in pairs):
                self._notes.add(pointer, "values of the enum are read as texts, as its type says")
                pairs = [
                    (value if isinstance(value, str) else str(value), name) for value, name in pairs
                ]
            kind = union_of(enum_of(*zip(*pairs, strict=True)))
        return nullable(kind) if None in values else kind


def _labels(node: Node, values: list[Any]) -> list[str]:
    """Return names for the values of an enum, empty ones if the schema has none."""
    names = node.get("x-enum-varnames") or node.get("x-enumNames")
    if "const" in node and node.get("title"):
        names = [node["title"]]
    if not isinstance(names, list) or len(names) != len(values):
        return [""] * len(values)
    return [str(name) for name in names]
