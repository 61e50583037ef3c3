"""The models of a client: a Struct of msgspec for each object, and the types of values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bff_core.codegen.names import UniqueNames, constant, pascal, snake
from bff_core.codegen.python_client.texts import documented, joined
from bff_core.codegen.python_client.unions import TaggedClass, tagged_classes, union_kinds
from bff_core.codegen.python_text import docstring, exploded, literal, sentence
from bff_core.contracts.document import Document
from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Field,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)

RESERVED: Final = frozenset({"Any", "Literal", "OpenEnum", "Struct"})
"""Names that the module of the models imports."""

SHADOWED: Final = frozenset(
    {"bool", "bytes", "dict", "float", "int", "list", "str", "tuple", "msgspec", "datetime"}
    | {"decimal", "uuid"}
)
"""Names in annotations, which a field of that name would hide."""

FORMATS: Final = {
    "date-time": "datetime.datetime",
    "date": "datetime.date",
    "time": "datetime.time",
    "duration": "datetime.timedelta",
    "uuid": "uuid.UUID",
    "decimal": "decimal.Decimal",
    "byte": "bytes",
    "binary": "bytes",
}

KINDS: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "binary": "bytes",
}


_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
"""What names of a Struct can't have; such members are left out."""


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A class of the models: its name, and the object or the enum that it is made from."""

    name: str
    type: ObjectType | Enum
    description: str = ""


class Models:
    """The classes of a client; types of operations that have no name get one when first used."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._names = UniqueNames(RESERVED)
        self._classes: dict[str, ModelClass] = {}
        self._inline: dict[int, str] = {}
        self._held: list[Type] = []
        self._tagged = tagged_classes(document)
        self._named = {
            name: self._names.take(pascal(name))
            for name, one in document.types.items()
            if _has_class(one.type)
        }

    def annotation(self, of: Type, name: str, prefix: str = "") -> str:
        """Return the annotation of a type; `name` is that of its class, should it need one.

        `prefix` stands before the names of classes: "models.".
        """
        return " | ".join(self._options(of, name, prefix, frozenset()))

    def resolved(self, of: Type) -> Type:
        """Return what a reference stands for."""
        followed: set[str] = set()
        while isinstance(of, Ref) and of.name in self._document.types and of.name not in followed:
            followed.add(of.name)
            of = self._document.types[of.name].type
        return of

    def module(self, header: str, runtime: str) -> str:
        """Return the module with all classes; `runtime` is the package of what it imports."""
        bodies: dict[str, list[str]] = {}
        while new := [one for name, one in self._classes.items() if name not in bodies]:
            bodies |= {one.name: self._body(one) for one in new}  # which may name further classes
        text = "\n\n\n".join("\n".join(body) for _, body in sorted(bodies.items()))
        future = "from __future__ import annotations"
        return joined([header, future, "", *_imports(text, runtime), "", "", text])

    def _add(self, name: str, of: Type, description: str = "") -> None:
        if isinstance(of, ObjectType | Enum) and name not in self._classes:
            self._classes[name] = ModelClass(name, of, description)

    def _class_of(self, of: ObjectType | Enum, name: str) -> str:
        """Return the class of a type without a name of its own."""
        if id(of) not in self._inline:
            self._held.append(of)  # an id stays that of this object
            self._inline[id(of)] = self._names.take(pascal(name))
            self._add(self._inline[id(of)], of)
        return self._inline[id(of)]

    def _options(self, of: Type, name: str, prefix: str, within: frozenset[str]) -> list[str]:
        """Return the alternatives of an annotation, `None` last."""
        match of:
            case Nullable(of=value):
                found = self._options(value, name, prefix, within)
                return found if found == ["Any"] else [*_without_none(found), "None"]
            case Union():
                return self._union(of, name, prefix, within)
            case Ref(name=target):
                return self._reference(target, prefix, within)
        return [self._single(of, name, prefix, within)]

    def _reference(self, target: str, prefix: str, within: frozenset[str]) -> list[str]:
        """Return a class, or what an alias stands for; a recursive alias is any value."""
        known = self._document.types.get(target)
        if known is not None and target in self._named:
            self._add(self._named[target], known.type, known.description)
            return [prefix + self._named[target]]
        if known is None or target in within:
            return ["Any"]
        return self._options(known.type, target, prefix, within | {target})

    def _single(self, of: Type, name: str, prefix: str, within: frozenset[str]) -> str:
        match of:
            case Scalar(kind=kind, format=form):
                return FORMATS.get(form, KINDS[kind]) if kind == "string" else KINDS[kind]
            case Enum() if not _has_class(of):
                return f"Literal[{', '.join(literal(one) for one in of.values)}]"
            case ObjectType(fields=[_, *_]) | Enum():
                return prefix + self._class_of(of, name)
        return self._container(of, name, prefix, within)

    def _container(self, of: Type, name: str, prefix: str, within: frozenset[str]) -> str:
        match of:
            case ObjectType():
                return f"dict[str, {self._inner(of.others or Anything(), name, prefix, within)}]"
            case Array(items=items):
                return f"list[{self._inner(items, f'{name} item', prefix, within)}]"
            case Map(values=values):
                return f"dict[str, {self._inner(values, f'{name} value', prefix, within)}]"
            case Tuple(items=items):
                inner = [
                    self._inner(one, f"{name} {number}", prefix, within)
                    for number, one in enumerate(items, 1)
                ]
                return f"tuple[{', '.join(inner) or '()'}]"
        return "Any"

    def _inner(self, of: Type, name: str, prefix: str, within: frozenset[str]) -> str:
        return " | ".join(self._options(of, name, prefix, within))

    def _union(self, of: Union, name: str, prefix: str, within: frozenset[str]) -> list[str]:
        """Return alternatives that msgspec can distinguish by their kind or by their tag."""
        found: list[str] = []
        for number, option in enumerate(of.options, 1):
            for one in self._options(option, f"{name} {number}", prefix, within):
                found += [one] if one not in found else []
        tagged = {prefix + self._named[one] for one in self._tagged_of(of)}
        enums = {prefix + one.name for one in self._classes.values() if isinstance(one.type, Enum)}
        return union_kinds(found, tagged, enums)

    def _tagged_of(self, of: Union) -> list[str]:
        """Return the references of a union whose classes have tags."""
        names = [one.name for one in of.options if isinstance(one, Ref)]
        return [one for one in names if one in self._tagged and one in self._named]

    def _body(self, of: ModelClass) -> list[str]:
        if isinstance(of.type, Enum):
            return _enum_lines(of, of.type)
        tag = next(
            (
                self._tagged[one]
                for one, name in self._named.items()
                if name == of.name and one in self._tagged
            ),
            None,
        )
        return [*self._head(of, tag), *self._fields(of, of.type, tag)]

    def _head(self, of: ModelClass, tag: TaggedClass | None) -> list[str]:
        options = "frozen=True, kw_only=True, omit_defaults=True"
        if tag is not None:
            options += f", tag_field={literal(tag.property)}, tag={literal(tag.value)}"
        head = f"class {of.name}(Struct, {options}):"
        if len(head) > 100:
            head = f"class {of.name}(\n    Struct, {options}\n):"
        return [head, *documented(of.description, f"{of.name}.", 4)]

    def _fields(self, of: ModelClass, type_: ObjectType, tag: TaggedClass | None) -> Iterator[str]:
        names = UniqueNames(SHADOWED)
        known = [one for one in type_.fields if not _ESCAPED.search(one.name)]
        shown = [one for one in known if tag is None or one.name != tag.property]
        yield from [""] if shown else []
        for one in shown:
            wanted = snake(one.name)
            attribute = names.take(wanted, f"{wanted}_")
            yield from self._field(of, one, attribute)

    def _field(self, of: ModelClass, one: Field, attribute: str) -> Iterator[str]:
        is_required = one.is_required and not (one.is_read_only or one.is_write_only)
        annotation = self.annotation(one.type, f"{of.name} {one.name}")
        default = ""
        if not is_required:
            can_be_null = isinstance(one.type, Nullable)
            default = "msgspec.UNSET" if can_be_null else "None"
            more = "msgspec.UnsetType" if can_be_null else "None"
            if annotation != "Any" and more not in annotation.split(" | "):
                annotation += f" | {more}"
        start = f"{attribute}: {annotation}"
        if attribute != one.name:
            items = [f"default={default}"] if default else []
            items.append(f"name={literal(one.name)}")
            yield from exploded(f"{start} = msgspec.field(", items, ")", 4)
        else:
            yield f"    {start}" + (f" = {default}" if default else "")
        yield from docstring(one.description, 4) if sentence(one.description) else ()


def _has_class(of: Type) -> bool:
    """Whether a type is a class: an object with fields, an enum of several texts."""
    if isinstance(of, Enum):
        return len(of.values) > 1 and all(isinstance(one, str) for one in of.values)
    return isinstance(of, ObjectType) and bool(of.fields)


def _enum_lines(of: ModelClass, enum: Enum) -> list[str]:
    names = UniqueNames({"mro"})
    labels = (
        enum.names if len(enum.names) == len(enum.values) else [str(one) for one in enum.values]
    )
    members = [
        f"    {names.take(constant(label))} = {literal(value)}"
        for label, value in zip(labels, enum.values, strict=True)
    ]
    text = documented(of.description, f"{of.name}.", 4)
    return [f"class {of.name}(OpenEnum):", *text, "", *members]


def _without_none(found: list[str]) -> list[str]:
    return [one for one in found if one != "None"]


def _imports(text: str, runtime: str) -> list[str]:
    """Return the imports that the classes need."""
    modules = [one for one in ("datetime", "decimal", "uuid") if f"{one}." in text]
    typing = [one for one in ("Any", "Literal") if re.search(rf"\b{one}\b", text)]
    lines = [f"import {one}" for one in modules]
    lines += [f"from typing import {', '.join(typing)}"] if typing else []
    lines += [""] if lines else []
    lines += ["import msgspec"] if "msgspec." in text else []
    lines += ["from msgspec import Struct"] if "(Struct" in text or "    Struct," in text else []
    lines += ["", f"from {runtime}.open_enum import OpenEnum"] if "(OpenEnum)" in text else []
    return lines
