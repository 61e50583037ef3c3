"""The types of an API description: JSON Schema reduced to what values may look like.

A reader resolves `allOf`, the two forms of null and the many forms of an enum, so that
generators of code and comparisons of contracts meet each concept once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

Limits = Mapping[str, Json]
"""Keywords of JSON Schema that bound a value: `minimum`, `maxLength`, `pattern`, `uniqueItems`."""

NO_LIMITS: Final[Limits] = {}


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value: the schema says nothing about its type."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number or a boolean. `binary` is a body that is no JSON, such as a file.

    `format` is that of the schema: `date-time`, `uuid`, `int64`, `byte`, or one of its own.
    """

    kind: Literal["string", "integer", "number", "boolean", "binary"]
    format: str = ""
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enum:
    """One of some values of one kind; `const` is an enum of one value.

    `names` are those of the extension `x-enum-varnames`, or empty.
    """

    values: tuple[str | int | float | bool, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    """A list of values of one type."""

    items: "Type"
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tuple:
    """A list of a fixed number of values (`prefixItems` without further items)."""

    items: "tuple[Type, ...]"


@dataclass(frozen=True, slots=True)
class Map:
    """An object with keys of any name and values of one type."""

    values: "Type"
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an object.

    `default` is only meaningful with `has_default`. A read-only property is absent from requests,
    a write-only one from responses.
    """

    name: str
    type: "Type"
    is_required: bool = False
    is_read_only: bool = False
    is_write_only: bool = False
    is_deprecated: bool = False
    has_default: bool = False
    default: Json = None
    description: str = ""
    examples: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object with known properties, those of its `allOf` included.

    `others` is the type of properties that it does not name, None if the schema says nothing of
    them. A closed object has no others (`additionalProperties: false`).
    """

    fields: tuple[Field, ...] = ()
    others: "Type | None" = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Discriminator:
    """The property whose value decides which option of a union a value is.

    `mapping` has the values of each option that is a reference: {"cat": "Cat"}; implied ones, the
    names of schemas, are included.
    """

    property: str
    mapping: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Union:
    """A value of one of several types (`oneOf`, `anyOf`, or several types of one schema)."""

    options: "tuple[Type, ...]"
    discriminator: Discriminator | None = None


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value of a type, or null."""

    of: "Type"


@dataclass(frozen=True, slots=True)
class Ref:
    """A type that the document names: `Document.types[name]`. Recursive types are possible."""

    name: str


Type: TypeAlias = (
    Anything | Scalar | Enum | Array | Tuple | Map | ObjectType | Union | Nullable | Ref
)
