"""Says which input of a view or of a screen can't be read from a request, and why."""

import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, is_typeddict

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

from bff_core.compat.fastapi import Depends
from bff_core.composition.annotations import without_aliases
from bff_core.composition.wiring import shape_of
from bff_core.rest.compose import composition_of
from bff_core.rest.culprit_field import culprit_in
from bff_core.rest.struct_schema import without_structs
from bff_core.upstream.client import Upstream


def why_unreadable(call: Any) -> str:
    """Return the first input of a function that no request can have, and why; empty if all can.

    The inputs of the screens that the function takes are among them.
    """
    for owner, name, kind in _inputs_of(call):
        error = _error_of(kind)
        if error is not None:
            return f"{owner}{name} is {_named(kind)}{_reason(name, kind, error, is_field=owner)}"
    return ""


def meant_service(name: str, kind: object) -> str:
    """Return the service that is meant by a type in its place: `: is Ratings meant?`, or nothing.

    `name` is the field: a service may have this name.
    """
    by_class = {one.__name__: one for one in _services(Upstream)}
    by_field = [key for key, one in by_class.items() if getattr(one, "name", "") == name]
    plain = kind.__name__ if isinstance(kind, type) else ""
    found = [*get_close_matches(plain, by_class, 1, cutoff=0.75), *by_field]
    return f": is {found[0]} meant?" if found else ""


def _services(kind: type[Upstream]) -> Iterator[type[Upstream]]:
    for one in kind.__subclasses__():
        yield one
        yield from _services(one)


def _inputs_of(call: Any) -> Iterator[tuple[str, str, object]]:
    """Yield the inputs of a function: the screen that declares each, its name, its type."""
    for one in inspect.signature(call).parameters.values():
        kind, metadata = without_aliases(one.annotation)
        marks = [mark for mark in (*metadata, one.default) if isinstance(mark, Depends)]
        if not marks:
            yield "", one.name, kind
        for mark in marks:
            screen = composition_of(mark.dependency)
            if screen is not None:
                inputs = shape_of(screen).inputs
                yield from ((f"{screen.__name__}.", i.name, i.annotation) for i in inputs)
            elif mark.dependency is not None:
                yield from _inputs_of(mark.dependency)


def _error_of(kind: object) -> Exception | None:
    """Return why a type can't be read from a request; None if it can."""
    try:
        TypeAdapter(without_structs(kind))
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        return error
    except (NameError, TypeError):  # a text, or no type: FastAPI has its own error
        return None
    return None


def _reason(name: str, kind: object, error: Exception, *, is_field: str) -> str:
    found = culprit_in(kind, lambda one: _error_of(one) is not None)
    where = f" ({found})" if found else ""
    if isinstance(error, PydanticUserError) and error.code == "typed-dict-version":
        own = f", a typing.TypedDict{where}" if is_typeddict(kind) else f"{where}"
        return f"{own}: before Python 3.12 import TypedDict from typing_extensions"
    hint = meant_service(name, kind) if is_field else ""
    no_service = "which is no service, and no request can have one"
    what = no_service if is_field else "which no request has"
    advice = hint or ": take a plain type, a dataclass, a msgspec Struct or a pydantic model"
    return f"{where}, {what}{advice}"


def _named(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)
