"""Validates the inputs of compositions by the metadata of their annotations, as REST does."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, cast, get_origin

from pydantic import TypeAdapter, ValidationError

from bff_core.compat.strawberry import camel_case
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.errors import InvalidInput


def checked(cls: type[Composition], inputs: Mapping[str, object]) -> Mapping[str, object]:
    """Return the validated inputs; raise `InvalidInput` for one that is out of bounds.

    GraphQL has checked their types, but not bounds such as `Annotated[int, Query(le=50)]`.
    """
    adapters = _adapters(cls)  # type: ignore[arg-type]  # a class is hashable
    if not adapters or not inputs:
        return inputs
    return {
        name: checked_value(name, value, adapters[name]) if name in adapters else value
        for name, value in inputs.items()
    }


@cache
def _adapters(cls: type[Composition]) -> Mapping[str, TypeAdapter[Any]]:
    return {
        one.name: TypeAdapter(cast("Any", one.annotation))
        for one in shape_of(cls).inputs
        if get_origin(one.annotation) is Annotated
    }


class InputOutOfBounds(InvalidInput):
    """An input is out of bounds; the message has the name that clients use."""

    def __init__(self, name: str, problem: str, graphql_name: str = "") -> None:
        super().__init__(f"{graphql_name or camel_case(name)}: {problem}.")
        self.name = name
        self.problem = problem


def checked_value(
    name: str, value: object, adapter: TypeAdapter[Any], graphql_name: str = ""
) -> object:
    """Return a validated value; raise `InputOutOfBounds` for one that is out of bounds."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InputOutOfBounds(name, error.errors()[0]["msg"], graphql_name) from error


def hashable(value: Any) -> Any:
    """Return a key that two equal values share; an input object need not be hashable itself."""
    if isinstance(value, tuple | list):
        return tuple(map(hashable, value))
    if isinstance(value, dict):
        return tuple((name, hashable(member)) for name, member in sorted(value.items()))
    if is_dataclass(value) and not isinstance(value, type):
        members = (hashable(getattr(value, one.name)) for one in fields(value))
        return (type(value), *members)
    return value
