"""Finds the items of a list, and what comes with them, in the type of a reply."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bff_core.codegen.names import words
from bff_core.codegen.upstream.method_plans import MethodPlan
from bff_core.codegen.upstream.plans import ClassField, ClassPlan, PythonType

_ITEMS: Final = (
    "items", "data", "results", "values", "records", "entries", "elements", "content", "list",
    "rows", "objects", "hits", "nodes",
)  # fmt: skip
"""What lists in replies are usually named, best first."""

_AROUND: Final = frozenset(
    {"meta", "metadata", "links", "paging", "pagination", "page", "page_info", "cursors", "cursor",
     "response_metadata", "page_metadata", "result_info", "_links"}
)  # fmt: skip
"""What objects with the cursor or the address of the next page are usually named."""


@dataclass(frozen=True, slots=True)
class FieldExpression:
    """A field of a reply: the expression that reads it from `found`, and its type.

    The expression is None where an object on the way is None.
    """

    expression: str
    type: PythonType
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """The list of a reply: the expression of it, and the type of an item."""

    expression: str
    type: PythonType
    is_nullable: bool = False


def key_of(name: str) -> str:
    """Return a name in snake case, for comparisons."""
    return "_".join(words(name))


def root_of(plan: MethodPlan) -> str:
    """Return the expression of the value of a reply."""
    return "found.value" if plan.reply.is_typed else "found"


def items_of(plan: MethodPlan, root: str) -> Items | None:
    """Return the list of a reply: the reply itself, or its only or best named list."""
    kind = _plain(plan.reply.type)
    if kind.kind == "array" and kind.options:
        return Items(root, kind.options[0])
    if not isinstance(kind.plan, ClassPlan):
        return None
    lists = [one for one in kind.plan.fields if one.shape.kind == "array" and one.shape.options]
    named = [one for name in _ITEMS for one in lists if key_of(one.name) == name]
    found = named[0] if named else lists[0] if len(lists) == 1 else None
    if found is None:
        return None
    item = _plain(found.shape).options[0]
    return Items(f"{root}.{found.attribute}", item, found.shape.is_nullable)


def fields_of(plan: MethodPlan, root: str) -> Iterator[FieldExpression]:
    """Yield the fields of a reply, and those of the objects in it that describe a page."""
    kind = _plain(plan.reply.type)
    if not isinstance(kind.plan, ClassPlan):
        return
    for one in kind.plan.fields:
        yield _field(one, f"{root}.{one.attribute}", one.name)
    for one in kind.plan.fields:
        inner = one.shape.plan
        if key_of(one.name) in _AROUND and isinstance(inner, ClassPlan):
            yield from _inner(inner, f"{root}.{one.attribute}", one.name, one.shape)


def _inner(plan: ClassPlan, outer: str, name: str, shape: PythonType) -> Iterator[FieldExpression]:
    for one in plan.fields:
        expression = f"{outer}.{one.attribute}"
        kind = one.shape
        if isinstance(kind.plan, ClassPlan) and (href := kind.plan.field_of("href")) is not None:
            nested = f"{expression}.{href.attribute}"
            if kind.is_nullable:
                nested = f"{nested} if {expression} is not None else None"
            expression, kind = nested, href.shape.or_none()
        if shape.is_nullable:
            expression = expression if " if " not in expression else f"({expression})"
            expression, kind = f"{expression} if {outer} is not None else None", kind.or_none()
        yield FieldExpression(expression, kind, f"{name}.{one.name}", one.description)


def _field(one: ClassField, expression: str, name: str) -> FieldExpression:
    return FieldExpression(expression, one.shape, name, one.description)


def first_of(
    fields: Iterable[FieldExpression], names: Iterable[str], texts: str
) -> FieldExpression | None:
    """Return the first field with one of some names and a type that `texts` matches."""
    known = list(fields)
    for name in names:
        for one in known:
            last = key_of(one.name.rpartition(".")[2])
            if last == name and re.fullmatch(rf"(?:{texts})(?: \| None)?", one.type.text):
                return one
    return None


def _plain(kind: PythonType) -> PythonType:
    """Return the type behind a name of its own."""
    while (
        kind.plan is None
        and kind.kind == "array"
        and len(kind.options) == 1
        and (kind.text.startswith("\0"))
    ):
        kind = kind.options[0]
    return kind
