"""Unions that a decoder can distinguish: by the kind of the value, or by a tag of the object."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from bff_core.contracts.document import Document
from bff_core.contracts.types import (
    Array,
    Enum,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Tuple,
    Type,
    Union,
)

SIMPLE: Final = frozenset({"bool", "float", "int", "str", "None"})
TEXTS: Final = ("str", "bytes", "datetime.", "uuid.", "decimal.")


@dataclass(frozen=True, slots=True)
class TaggedClass:
    """The property that distinguishes a class in a union, and the value that it has there."""

    property: str
    value: str


def tagged_classes(document: Document) -> dict[str, TaggedClass]:
    """Return the named objects that have a tag, by name.

    An object with several values, or with other tags in other unions, has none.
    """
    found: dict[str, set[TaggedClass]] = {}
    for union in _unions(document):
        for name, tag in _tags(union, document):
            found.setdefault(name, set()).add(tag)
    return {name: tags.pop() for name, tags in found.items() if len(tags) == 1}


def union_kinds(found: list[str], tagged: Collection[str], enums: Collection[str]) -> list[str]:
    """Return the alternatives of an annotation, reduced to what a decoder can distinguish.

    Several texts become `str`, and several objects without tags `dict[str, Any]`.
    """
    if "Any" in found:
        return ["Any"]
    simple = [one for one in found if one in SIMPLE and one != "None"]
    texts = [one for one in found if one not in SIMPLE and one.startswith(TEXTS)]
    texts += [one for one in found if one.startswith('Literal["') or one in enums]
    lists = [one for one in found if one.startswith(("list[", "tuple["))]
    maps = [one for one in found if one.startswith("dict[")]
    numbers = [one for one in found if one.startswith("Literal[") and one not in texts]
    classes = [
        one for one in found if one not in {*simple, *texts, *lists, *maps, *numbers, "None"}
    ]
    if len(texts) > 1 or (texts and "str" in simple):
        texts, simple = [], list(dict.fromkeys([*simple, "str"]))
    if len(lists) > 1:
        lists = ["list[Any]"]
    if (
        (maps and classes)
        or len(maps) > 1
        or (len(classes) > 1 and not set(classes) <= set(tagged))
    ):
        maps, classes = ["dict[str, Any]"], []
    ends = ["None"] if "None" in found else []
    return [*classes, *simple, *numbers, *texts, *lists, *maps, *ends]


def _tags(union: Union, document: Document) -> Iterator[tuple[str, TaggedClass]]:
    """Yield the tag of each option, if all options are objects with tags."""
    names = [one.name for one in union.options if isinstance(one, Ref)]
    objects = [document.types[one].type for one in names if one in document.types]
    if len(names) != len(union.options) or not all(isinstance(one, ObjectType) for one in objects):
        return
    if union.discriminator is not None:
        mapping = union.discriminator.mapping
        for name in names:
            values = [value for value, target in mapping.items() if target == name]
            if len(values) > 1:
                values = [one for one in values if one != name]
            for value in values:
                yield name, TaggedClass(union.discriminator.property, value)
        return
    options = [one for one in objects if isinstance(one, ObjectType)]
    for property_ in _shared_constants(options):
        for name, one in zip(names, options, strict=True):
            yield name, TaggedClass(property_, _constant(one, property_) or "")
        return


def _shared_constants(options: list[ObjectType]) -> Iterator[str]:
    """Yield the properties that have one text in each object, another in each."""
    for field in options[0].fields if options else ():
        values = [_constant(one, field.name) for one in options]
        if all(values) and len(set(values)) == len(values):
            yield field.name


def _constant(of: ObjectType, name: str) -> str | None:
    for field in of.fields:
        if field.name == name and isinstance(field.type, Enum) and len(field.type.values) == 1:
            value = field.type.values[0]
            return value if isinstance(value, str) else None
    return None


def _unions(document: Document) -> Iterator[Union]:
    for one in document.types.values():
        yield from _unions_in(one.type)
    for operation in document.operations:
        contents = [*(operation.body.contents if operation.body else ())]
        contents += [one for response in operation.responses for one in response.contents]
        for content in contents:
            yield from _unions_in(content.type)


def _unions_in(of: Type) -> Iterator[Union]:
    """Yield the unions within a type; those of named types are within these."""
    if isinstance(of, Union):
        yield of
    for one in _within(of):
        yield from _unions_in(one)


def _within(of: Type) -> tuple[Type, ...]:
    """Return the types that a type consists of."""
    match of:
        case Union(options=inner) | Tuple(items=inner):
            return inner
        case ObjectType(fields=fields, others=others):
            return (*(one.type for one in fields), *((others,) if others is not None else ()))
        case Array(items=value) | Map(values=value) | Nullable(of=value):
            return (value,)
    return ()
