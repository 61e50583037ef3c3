"""Types of a document as types of TypeScript."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.codegen.typescript.text import comment, literal, one_line, property_name
from bff_core.contracts.document import NamedType
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

FORMATS: Final = {
    "date": "A date: 2026-11-30.",
    "date-time": "A date and a time: 2026-11-30T08:15:00Z.",
    "time": "A time of day: 08:15:00.",
    "duration": "A duration: PT15M.",
    "uuid": "A UUID.",
    "byte": "Base64.",
    "base64url": "Base64 for URLs.",
    "decimal": "A decimal number as text.",
    "int64": "An integer of 64 bits: numbers are exact up to 2^53 - 1.",
    "uint64": "An integer of 64 bits: numbers are exact up to 2^53 - 1.",
}
"""What a reader of the type has to know of a format."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Where types are used: the names of those in requests, and of those in responses."""

    in_requests: frozenset[str]
    in_responses: frozenset[str]


@dataclass(frozen=True, slots=True)
class TypeWriter:
    """Writes types; `names` are those of TypeScript by the names of the document."""

    types: Mapping[str, NamedType]
    names: Mapping[str, str]
    usage: Usage

    def expression(  # noqa: C901, PLR0911 # a case for each type
        self, kind: Type, *, is_sent: bool = False
    ) -> str:
        """Return a type as an expression; `is_sent` if it is in requests only."""
        match kind:
            case Scalar():
                return _scalar(kind, is_sent=is_sent)
            case Enum(values):
                return " | ".join(dict.fromkeys(literal(one) for one in values)) or "never"
            case Array(items):
                return f"{_grouped(self.expression(items, is_sent=is_sent))}[]"
            case Tuple(items):
                return f"[{', '.join(self.expression(one, is_sent=is_sent) for one in items)}]"
            case Map(values):
                return f"{{ [key: string]: {self.expression(values, is_sent=is_sent)} }}"
            case Union():
                return self._union(kind, is_sent=is_sent)
            case Nullable(inner):
                return f"{self.expression(inner, is_sent=is_sent)} | null"
            case Ref(name):
                return self.names.get(name, "unknown")
            case ObjectType():
                return self._inline(kind, is_sent=is_sent)
            case Anything():
                return "unknown"

    def declaration(self, one: NamedType) -> str:
        """Return the declaration of a named type."""
        name = self.names[one.name]
        is_sent = one.name not in self.usage.in_responses
        is_received = one.name not in self.usage.in_requests
        tags = ["@deprecated"] if one.is_deprecated else []
        head = comment(one.description, tags)
        if isinstance(one.type, ObjectType):
            body = self._members(one.type, is_sent=is_sent, is_received=is_received, indent="  ")
            return f"{head}export interface {name} {{\n{body}}}\n"
        if self._is_only_itself(one.type, {one.name}):
            return f"{head}export type {name} = unknown;\n"
        return f"{head}export type {name} = {self.expression(one.type, is_sent=is_sent)};\n"

    def _is_only_itself(self, kind: Type, above: set[str]) -> bool:
        """Whether a type refers to itself without an object or a list between."""
        match kind:
            case Ref(name) if name in above:
                return True
            case Ref(name) if name in self.types:
                found = self.types[name].type
                return self._is_only_itself(found, {*above, name})
            case Nullable(inner):
                return self._is_only_itself(inner, above)
            case Union(options):
                return any(self._is_only_itself(one, above) for one in options)
        return False

    def _members(self, kind: ObjectType, *, is_sent: bool, is_received: bool, indent: str) -> str:
        lines = []
        for field in kind.fields:
            if (field.is_read_only and is_sent) or (field.is_write_only and is_received):
                continue
            is_one_way = field.is_read_only or field.is_write_only
            mark = "" if field.is_required and not (is_one_way and not is_received) else "?"
            access = "readonly " if field.is_read_only else ""
            value = self.expression(field.type, is_sent=is_sent)
            lines.append(
                f"{comment(*_about(field), indent)}"
                f"{indent}{access}{property_name(field.name)}{mark}: {value};\n"
            )
        if kind.others is not None:
            lines.append(f"{indent}[key: string]: {self._others(kind, is_sent=is_sent)};\n")
        return "".join(lines)

    def _others(self, kind: ObjectType, *, is_sent: bool) -> str:
        """Return the type of other properties: with known ones beside them it fits these, too."""
        if kind.fields or kind.others is None:
            return "unknown"
        return self.expression(kind.others, is_sent=is_sent)

    def _inline(self, kind: ObjectType, *, is_sent: bool) -> str:
        body = self._members(kind, is_sent=is_sent, is_received=not is_sent, indent=" ")
        if not body:
            return "{ [key: string]: unknown }"
        return "{\n" + body + "}"

    def _union(self, kind: Union, *, is_sent: bool) -> str:
        options = [self._option(one, kind, is_sent=is_sent) for one in kind.options]
        return " | ".join(dict.fromkeys(options)) or "never"

    def _option(self, option: Type, of: Union, *, is_sent: bool) -> str:
        """Return an option of a union, with the values of its discriminator."""
        shown = self.expression(option, is_sent=is_sent)
        if of.discriminator is None or not isinstance(option, Ref):
            return shown
        values = [value for value, to in of.discriminator.mapping.items() if to == option.name]
        declared = self._discriminated_by(option, of.discriminator.property)
        if not values or isinstance(declared, Enum):
            return shown
        tag = f"{property_name(of.discriminator.property)}: {' | '.join(map(literal, values))}"
        return f"({shown} & {{ {tag} }})"

    def _discriminated_by(self, option: Ref, name: str) -> Type | None:
        found = self.types.get(option.name)
        if found is None or not isinstance(found.type, ObjectType):
            return None
        return next((one.type for one in found.type.fields if one.name == name), None)


def _scalar(kind: Scalar, *, is_sent: bool) -> str:
    if kind.kind == "binary" or kind.format == "binary":
        return "FileInput" if is_sent else "BinaryData"
    return {"string": "string", "boolean": "boolean"}.get(kind.kind, "number")


def _grouped(shown: str) -> str:
    return f"({shown})" if " | " in shown or " & " in shown else shown


def _about(field: Field) -> tuple[str, Sequence[str]]:
    """Return the text and the tags of a property's comment."""
    tags = []
    if note := FORMATS.get(format_of(field.type)):
        tags.append(note)
    if field.has_default:
        tags.append(f"@default {one_line(literal(field.default))}")
    if field.is_deprecated:
        tags.append("@deprecated")
    return field.description, tags


def format_of(kind: Type) -> str:
    """Return the format of a scalar, of the items of a list, or of what may be null."""
    match kind:
        case Scalar():
            return kind.format
        case Nullable(inner) | Array(inner):
            return format_of(inner)
    return ""


def names_in(kind: Type) -> Iterator[str]:
    """Yield the names of the types that a type refers to directly."""
    match kind:
        case Ref(name):
            yield name
        case Array(inner) | Map(inner) | Nullable(inner):
            yield from names_in(inner)
        case Tuple(several) | Union(several):
            for one in several:
                yield from names_in(one)
        case ObjectType(fields, others):
            for field in fields:
                yield from names_in(field.type)
            yield from () if others is None else names_in(others)


def reachable(kinds: Sequence[Type], types: Mapping[str, NamedType]) -> frozenset[str]:
    """Return the names of all types that these types refer to, at any depth."""
    found: set[str] = set()
    waiting = [name for kind in kinds for name in names_in(kind)]
    while waiting:
        name = waiting.pop()
        if name not in found and name in types:
            found.add(name)
            waiting += names_in(types[name].type)
    return frozenset(found)
