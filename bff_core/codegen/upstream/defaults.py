"""Writes the default values of a contract as expressions."""

from typing import Final

from bff_core.codegen.python_text import literal
from bff_core.codegen.upstream.plans import EnumPlan, PythonType
from bff_core.contracts.document import HttpParameter
from bff_core.contracts.types import Field, Json

MAX_LENGTH: Final = 50
"""A longer default leaves no room on its line; the service has it, too."""


def default_of(one: Field | HttpParameter, shape: PythonType) -> str:
    """Return the default as an expression; empty if it does not fit the type, or is too long."""
    made = expression(one.default, shape)
    return made if len(made) <= MAX_LENGTH else ""


def expression(value: Json, shape: PythonType) -> str:
    """Return a value of a type as an immutable expression, or nothing."""
    if value is None:
        return "None" if shape.is_nullable else ""
    if isinstance(shape.plan, EnumPlan):
        return shape.plan.member(value)
    if isinstance(value, list):
        is_list = shape.kind == "array" and bool(shape.options)
        return _tuple([expression(one, shape.options[0]) for one in value]) if is_list else ""
    is_named = shape.kind in {"string", "integer"} and len(shape.options) == 1
    plain = (shape.options[0] if is_named else shape).text.removesuffix(" | None")
    if type(value) in {int, float} and plain == "float":
        return literal(float(value))  # type: ignore[arg-type]  # by its type
    if plain == type(value).__name__ or _is_member(value, plain):
        return literal(value)
    return ""


def _is_member(value: Json, annotation: str) -> bool:
    inner = annotation.removeprefix("Literal[").removesuffix("]")
    return inner != annotation and literal(value) in inner.split(", ")


def _tuple(items: list[str]) -> str:
    if not all(items):
        return ""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
