"""Plans unions: which msgspec decodes by tags, which need a function, and what each is named."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

from bff_core.codegen.names import pascal
from bff_core.codegen.python_text import literal
from bff_core.codegen.upstream.plans import (
    MODEL,
    ClassPlan,
    EnumPlan,
    Kind,
    PythonType,
    Side,
    UnionPlan,
)
from bff_core.contracts.types import Array, Discriminator, Nullable, Ref, Type, Union

MAX_INLINE_LENGTH: Final = 60
"""A longer union gets a name, so that signatures stay readable."""

_FAMILIES: Final[dict[Kind, str]] = {
    "object": "object",
    "map": "object",
    "array": "array",
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
}
"""msgspec decodes unions with at most one type of each family."""


class TypeConverter(Protocol):
    """Converts the types of a contract, and holds what was planned for them."""

    unions: list[UnionPlan]

    def shape(self, kind: Type, side: Side, hint: str) -> PythonType:
        """Return the annotation of a type."""
        ...

    def named(self, name: str, side: Side) -> PythonType:
        """Return the annotation of one of the document's types."""
        ...

    def type_behind(self, kind: Type) -> Type:
        """Return the type behind references, as far as it is no object."""
        ...

    def take(self, name: str) -> str:
        """Return a free name for a class."""
        ...


class UnionTypes:
    """Converts unions to annotations."""

    def __init__(self, models: TypeConverter) -> None:
        self._models = models
        self._open: list[UnionPlan] = []

    def open_union(self, name: str) -> UnionPlan | None:
        """Return the union of a name that is being planned, for types that refer to themselves."""
        return next((one for one in self._open if one.name == name), None)

    def union(
        self, kind: Union, side: Side, hint: str, *, is_named: bool = False, description: str = ""
    ) -> PythonType:
        """Return the annotation of a union."""
        plan = UnionPlan(hint, side, (), description)
        self._open.append(plan)
        options = list(self._options(kind, side, hint))
        self._open.remove(plan)
        is_nullable = any(one.is_nullable for one in options)
        options = _distinct(options)
        if not options or any(one.text == "Any" for one in options):
            options = [PythonType("Any", "any")]
        options = _merged(options)
        shape = self._shape(plan, options, kind.discriminator, is_named=is_named)
        return shape.or_none() if is_nullable else shape

    def _shape(
        self,
        plan: UnionPlan,
        options: list[PythonType],
        discriminator: Discriminator | None,
        *,
        is_named: bool,
    ) -> PythonType:
        if len(options) == 1 and not plan.is_named_by_itself:
            return options[0]
        text = " | ".join(one.text for one in options)
        needs_plan = has_conflict(options) or plan.is_named_by_itself
        if not needs_plan and len(text) <= MAX_INLINE_LENGTH:
            return PythonType(text, "any", options=tuple(options))
        plan.name = plan.name if is_named else self._models.take(plan.name)
        plan.options = tuple(options)
        if discriminator is not None:
            plan.by, plan.values = discriminator.property, self._values(discriminator, plan)
        self._models.unions.append(plan)
        return PythonType(f"{MODEL}{plan.name}", "any", options=tuple(options))

    def _values(self, discriminator: Discriminator, plan: UnionPlan) -> dict[str, ClassPlan]:
        """Return the options by the values of the discriminator.

        The name of a schema, which is an implied value, counts only without a value of its own.
        """
        found = {}
        mapping = discriminator.mapping
        explicit = {name for value, name in mapping.items() if value != name}
        for value, name in mapping.items():
            if value == name and name in explicit:
                continue
            shape = self._models.named(name, plan.side)
            if isinstance(shape.plan, ClassPlan):
                found[value] = shape.plan
        return found

    def _options(self, kind: Union, side: Side, hint: str) -> Iterator[PythonType]:
        """Yield the shapes of the options, those of unions within it included."""
        for number, option in enumerate(kind.options, 1):
            yield from self._expanded(option, side, f"{hint}Option{number}", set())

    def _expanded(
        self, option: Type, side: Side, hint: str, passed: set[str]
    ) -> Iterator[PythonType]:
        if isinstance(option, Ref):
            if option.name in passed:
                return
            behind = self._models.type_behind(option)
            inner = behind.of if isinstance(behind, Nullable) else behind
            if isinstance(inner, Union):
                for number, one in enumerate(inner.options, 1):
                    name = f"{pascal(option.name)}Option{number}"
                    yield from self._expanded(one, side, name, passed | {option.name})
                if inner is not behind:
                    yield PythonType("None", "null", is_nullable=True)
                return
        if isinstance(option, Union):
            for number, one in enumerate(option.options, 1):
                yield from self._expanded(one, side, f"{hint}{number}", passed)
            return
        if isinstance(option, Nullable):
            yield from self._expanded(option.of, side, hint, passed)
            yield PythonType("None", "null", is_nullable=True)
            return
        name = f"{hint}s" if isinstance(option, Array) else hint
        yield self._models.shape(option, side, name)


def _distinct(options: list[PythonType]) -> list[PythonType]:
    """Return the options without null, each once."""
    found: dict[str, PythonType] = {}
    for one in options:
        text = one.text.removesuffix(" | None")
        if one.kind != "null":
            found.setdefault(text, PythonType(text, one.kind, one.plan, one.options))
    return list(found.values())


def _merged(options: list[PythonType]) -> list[PythonType]:
    """Return the options without those that a wider one includes."""
    texts = {one.text for one in options}
    if "str" in texts:  # an enum that others may extend
        options = [one for one in options if one.kind != "string" or one.text == "str"]
    if "float" in texts:
        options = [one for one in options if one.kind != "integer"]
    elif "int" in texts:
        options = [one for one in options if one.kind != "integer" or one.text == "int"]
    literals = [one for one in options if one.text.startswith("Literal[")]
    if len(literals) > 1 and len({one.kind for one in literals}) == 1:
        members = ", ".join(one.text[len("Literal[") : -1] for one in literals)
        rest = [one for one in options if one not in literals]
        options = [PythonType(f"Literal[{members}]", literals[0].kind), *rest]
    return options


def has_conflict(options: list[PythonType] | tuple[PythonType, ...]) -> bool:
    """Whether msgspec can't decode the options without tags."""
    families = [_FAMILIES[one.kind] for one in options if one.kind in _FAMILIES]
    return len(set(families)) < len(families) or (
        len(options) > 1 and any(one.kind == "any" for one in options)
    )


def assign_tags(unions: list[UnionPlan]) -> None:
    """Give the classes of unions their tags, and mark the unions that need a function of ours."""
    in_cycles = _in_cycles(unions)
    for union in unions:
        union.is_decoded_by_us = union.name in in_cycles
        classes = [one.plan for one in union.options if isinstance(one.plan, ClassPlan)]
        if not union.is_decoded_by_us and classes and not _conflicts_but_for(union, classes):
            tags = _tags(union, classes)
            if tags and all(one.tag in {None, tag} for one, tag in tags.items()):
                for one, tag in tags.items():
                    one.tag = tag
                continue
        if union.by and union.side != "read":
            for one in classes:
                one.require(union.by)
        if union.side != "write":
            union.is_decoded_by_us = union.is_decoded_by_us or has_conflict(union.options)


def _in_cycles(unions: list[UnionPlan]) -> set[str]:
    """Return the names of unions that name themselves without a class between."""
    named = {
        one.name: set(re.findall(rf"{MODEL}(\w+)", " ".join(each.text for each in one.options)))
        for one in unions
    }

    def reached(name: str) -> set[str]:
        found: set[str] = set()
        waiting = list(named[name])
        while waiting:
            other = waiting.pop()
            if other in named and other not in found:
                found.add(other)
                waiting += named[other]
        return found

    return {name for name in named if name in reached(name)}


def _conflicts_but_for(union: UnionPlan, classes: list[ClassPlan]) -> bool:
    """Whether there are conflicts that tags do not solve."""
    rest = [one for one in union.options if one.plan not in classes]
    is_mixed = bool(classes) and any(one.kind == "map" for one in rest)
    return has_conflict(rest) or is_mixed


def _tags(union: UnionPlan, classes: list[ClassPlan]) -> dict[ClassPlan, tuple[str, str]]:
    """Return the tag of each class: from the discriminator, or a property with one value each."""
    if union.by:
        found = {plan: (union.by, value) for value, plan in union.values.items()}
        is_whole = set(found) == set(classes) and len(union.values) == len(classes)
        return found if is_whole and all(_fits(one, tag) for one, tag in found.items()) else {}
    for field in classes[0].fields:
        consts = {one: _const(one, field.name) for one in classes}
        if all(consts.values()) and len(set(consts.values())) == len(classes):
            return {one: (field.name, const) for one, const in consts.items()}
    return {}


def _const(plan: ClassPlan, name: str) -> str:
    field = plan.field_of(name)
    return field.const if field is not None else ""


def _fits(plan: ClassPlan, tag: tuple[str, str]) -> bool:
    """Whether the property of a tag is written, and may have its value by the class's schema.

    It is written if it is required, or if its default is the value: pydantic writes that, too.
    """
    field = plan.field_of(tag[0])
    if field is None:
        return False
    if field.default:
        member = field.shape.plan.member(tag[1]) if isinstance(field.shape.plan, EnumPlan) else ""
        return field.const == tag[1] or field.default in {literal(tag[1]), member}
    if field.shape.text == "str":
        return True
    if isinstance(field.shape.plan, EnumPlan):
        return bool(field.shape.plan.member(tag[1]))
    return field.const in {"", tag[1]}
