"""What models.py will hold: its classes, enums and unions, before they are written as code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bff_core.contracts.types import Json

Side = Literal["read", "write", "both"]
"""Whether values of a type are replies, requests, or both."""

Kind = Literal["any", "object", "map", "array", "string", "integer", "number", "boolean", "null"]

MODEL: Final = "\0"
"""Stands before each name of models.py in an annotation; other modules write `models.` there."""


@dataclass(frozen=True, slots=True)
class PythonType:
    """A type as an annotation. `kind` is that of its JSON values; a union has several shapes."""

    text: str
    kind: Kind
    plan: "ClassPlan | EnumPlan | None" = None
    options: "tuple[PythonType, ...]" = ()
    is_nullable: bool = False

    def or_none(self) -> "PythonType":
        """Return the shape that allows None, too."""
        if self.is_nullable or self.text in {"Any", "None"}:
            return self
        text = f"{self.text} | None"
        return PythonType(text, self.kind, self.plan, self.options, is_nullable=True)

    def within_models(self) -> str:
        """Return the annotation as models.py has it."""
        return self.text.replace(MODEL, "")

    def elsewhere(self) -> str:
        """Return the annotation for modules that import models.py."""
        return self.text.replace(MODEL, "models.")


@dataclass(frozen=True, slots=True)
class ClassField:
    """An attribute of a class. `default` is an expression, empty if there is none.

    It has `MODEL` before the names of models.py, as annotations do.
    """

    attribute: str
    name: str
    shape: PythonType
    default: str = ""
    description: str = ""
    const: str = ""
    """The only text that it may have, or empty."""


@dataclass(slots=True, eq=False)
class ClassPlan:
    """A class for objects. `tag` is the property and the text that select it in a union."""

    name: str
    side: Side
    description: str = ""
    fields: list[ClassField] = field(default_factory=list)
    tag: tuple[str, str] | None = None
    has_others: bool = False
    """Whether replies may have properties that it does not name."""

    @property
    def declared_fields(self) -> Iterator[ClassField]:
        """The fields without that of the tag."""
        return (one for one in self.fields if self.tag is None or one.name != self.tag[0])

    def field_of(self, name: str) -> ClassField | None:
        """Return the field of a property, or None."""
        return next((one for one in self.fields if one.name == name), None)

    def require(self, name: str) -> None:
        """Take the default of a property, so that requests always have it."""
        self.fields = [
            replace(one, default="")
            if one.name == name and one.default not in {"", "None"}
            else one
            for one in self.fields
        ]


@dataclass(slots=True, eq=False)
class EnumPlan:
    """An enum: its members by name."""

    name: str
    members: Mapping[str, str | int]
    description: str = ""
    is_read: bool = False

    def member(self, value: Json) -> str:
        """Return the expression of the member with a value, with `MODEL` before it, or nothing."""
        names = (name for name, one in self.members.items() if one == value)
        found = next(names, "") if not isinstance(value, bool) else ""
        return f"{MODEL}{self.name}.{found}" if found else ""


@dataclass(slots=True, eq=False)
class UnionPlan:
    """A union with a name, which msgspec decodes by tags, or a function of ours otherwise.

    `by` is the property of its discriminator; `values` has the options by the values of it.
    """

    name: str
    side: Side
    options: tuple[PythonType, ...]
    description: str = ""
    by: str = ""
    values: dict[str, ClassPlan] = field(default_factory=dict)
    is_named_by_itself: bool = False
    """Whether its own options name it, so that it can't do without a name."""
    is_decoded_by_us: bool = False
    """Whether it is a type of `one_of`."""
