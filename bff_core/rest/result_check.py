"""In development, checks that a view returns a value of its declared type.

In production nothing is checked: the gateway sends the declared fields of what it gets.
"""

import re
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from decimal import Decimal
from functools import wraps
from typing import Any, Final, get_origin

import msgspec
from fastapi import Response
from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import no_info_before_validator_function

from bff_core.compat.pydantic import has_validator, origin_of_model, use_validator, with_inner
from bff_core.errors import BFFError
from bff_core.rest.response_model import json_form, refuse_unawaited
from bff_core.rest.struct_schema import has_structs
from bff_core.service_clients.unions import decode_union

Endpoint = Callable[..., Coroutine[object, object, object]]
Generate = Callable[..., AsyncGenerator[object]]
Check = Callable[[object], None]

MAX_FAULTS: Final = 3
"""Faults of one value that an error names."""

_WITH_CONFIG: Final = frozenset({"dataclass", "typed-dict"})

_in_modules: Final = re.compile(r"\b(?:[A-Za-z_]\w*\.)+").sub
"""Replaces the modules in the text of a type."""


class WrongResult(BFFError):
    """A view returned something else than its declared type; raised in development only."""

    @property
    def detail(self) -> str:
        """The message: the clients of a gateway in development are its developers."""
        return str(self)


def checked_view(endpoint: Endpoint, declared: object) -> Endpoint:
    """Return a view whose results are checked by their declared type."""
    check = _check_of(f"view {endpoint.__qualname__} returned", declared)
    if check is None:
        return endpoint

    @wraps(endpoint)
    async def call(**values: object) -> object:
        result = await endpoint(**values)
        if not isinstance(result, Response):
            check(result)
        return result

    return call


def checked_stream(endpoint: Generate, item: object) -> Generate:
    """Return a stream whose values are checked; `item` is their declared type."""
    check = _check_of(f"stream {endpoint.__qualname__} yielded", item)
    if check is None:
        return endpoint

    @wraps(endpoint)
    async def call(**values: object) -> AsyncGenerator[object]:
        async with aclosing(endpoint(**values)) as rows:
            async for row in rows:
                check(row)
                yield row

    return call


def _check_of(what: str, declared: Any) -> Check | None:
    """Return the check of a type; None if it is any, or one that pydantic does not know."""
    if declared is Any:
        return None
    if has_structs(declared):
        return _struct_check(what, declared)
    try:
        adapter = TypeAdapter(declared)
    except PydanticUserError:
        return None
    use_validator(adapter, _strict(_revalidated(adapter.core_schema)), is_strict=True)

    def check(value: object) -> None:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            faults = _faults(value, error)
        except AttributeError as error:  # a dataclass whose field was never set
            faults = [f"$: {error}"]
        else:
            return
        raise _wrong(what, declared, faults)

    return check


def _struct_check(what: str, declared: Any) -> Check:
    """Return a check by msgspec, which reads back what it would encode."""

    def check(value: object) -> None:
        try:
            plain = msgspec.to_builtins(value, enc_hook=json_form)
            msgspec.convert(plain, declared, strict=True, dec_hook=decode_union)
        except TypeError as error:  # of a value that can't be encoded
            raise _wrong(what, declared, [f"$: {error}"]) from None
        except msgspec.ValidationError as error:
            message, has_path, path = str(error).partition(" - at `")
            place = path.removesuffix("`") if has_path else "$"
            raise _wrong(what, declared, [f"{place}: {_plain(message)}"]) from None

    return check


def _wrong(what: str, declared: Any, faults: list[str]) -> WrongResult:
    name = declared.__name__ if isinstance(declared, type) else _in_modules("", str(declared))
    more = len(faults) - MAX_FAULTS
    shown = [*faults[:MAX_FAULTS], *([f"and {more} more"] if more > 0 else ())]
    return WrongResult(f"{what} a value that is not of its type {name}: {'; '.join(shown)}")


def _revalidated(schema: Any) -> Any:
    """Return a core schema that also validates the fields of dataclasses that exist already.

    Models have validated theirs when they were made; a dict in place of one is refused.
    """
    kind = schema.get("type")
    if kind == "model":
        same = {"ref": schema["ref"]} if "ref" in schema else {}
        return {"type": "is-instance", "cls": origin_of_model(schema["cls"]), **same}
    copy = with_inner(schema, _revalidated)
    if kind == "dataclass" and not has_validator(copy["cls"]):
        copy |= {"revalidate_instances": "always", "post_init": False}
    if kind in {"dataclass-field", "typed-dict-field"}:
        copy.pop("validation_alias", None)  # values have the names in Python
    if kind == "dataclass-field":
        copy |= {"init": True, "init_only": False}
    if kind == "float":
        return no_info_before_validator_function(_no_decimal, copy)
    return _abstract(copy)


def _abstract(schema: Any) -> Any:
    """Return a core schema that takes any sequence or set where a type does not say which.

    A `Mapping` differs from a `dict` in pydantic's own schema.
    """
    if schema.get("type") == "chain" and get_origin(schema["steps"][0].get("cls")) is Sequence:
        return schema | {"steps": [with_inner(one, _not_strict) for one in schema["steps"]]}
    if schema.get("type") == "frozenset":  # that of an abstract set as well
        return no_info_before_validator_function(_frozen, schema)
    return schema


def _not_strict(schema: Any) -> Any:
    return schema | {"strict": False} if schema.get("type") == "list" else schema


def _strict(schema: Any) -> Any:
    """Return a core schema that converts nothing, except where it says that it does."""
    copy = with_inner(schema, _strict)
    config = {"config": copy.get("config", {}) | {"strict": True}}
    return copy | config if copy.get("type") in _WITH_CONFIG else copy


def _frozen(value: object) -> object:
    return frozenset(value) if isinstance(value, AbstractSet) else value


def _no_decimal(value: object) -> object:
    """Refuse a decimal, which is encoded as a string."""
    if isinstance(value, Decimal):
        raise PydanticKnownError("float_type")
    return value


def _faults(value: object, error: ValidationError) -> list[str]:
    """Return a text for each place that is wrong: the path, what is expected, what was found."""
    expected: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_context=False):
        for unawaited in _awaitables(one["input"]):
            refuse_unawaited(unawaited)
        path, place = _path(value, one["loc"])
        if one["type"] == "missing":
            path = f"{path}.{one['loc'][-1]}"
            expected[path], found[path] = ["a value"], "nothing"
            continue
        found[path] = type(place).__name__
        expected.setdefault(path, []).append(_plain(one["msg"]))
    outer = {path for path in expected if _is_above_another(path, expected)}
    return [
        f"{path}: expected {' or '.join(dict.fromkeys(texts))}, got {found[path]}"
        for path, texts in expected.items()
        if path not in outer
    ]


def _awaitables(value: object) -> Iterator[Awaitable[object]]:
    """Yield the coroutines and parts in a value that is plain otherwise."""
    if isinstance(value, Awaitable):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _awaitables(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _awaitables(one)


def _is_above_another(path: str, paths: Iterable[str]) -> bool:
    """Whether a fault is that of one member of a union, of which another member fits better."""
    return any(other.startswith((f"{path}.", f"{path}[")) for other in paths)


def _path(value: object, location: Iterable[int | str]) -> tuple[str, object]:
    """Return the path of a location, and the value there; names of union members are left out."""
    path, here = "$", value
    for one in location:
        if isinstance(here, Mapping) and one in here:
            is_name = isinstance(one, str) and one.isidentifier()
            path, here = f"{path}.{one}" if is_name else f"{path}[{one!r}]", here[one]
        elif isinstance(one, int) and isinstance(here, list | tuple) and one < len(here):
            path, here = f"{path}[{one}]", here[one]
        elif isinstance(one, str) and one.isidentifier() and hasattr(here, one):
            path, here = f"{path}.{one}", getattr(here, one)
    return path, here


def _plain(message: str) -> str:
    """Return pydantic's or msgspec's message as the end of a sentence."""
    text = message.removeprefix("Input should be ")
    return text.replace("`", "").replace("Expected", "expected").replace("Object m", "object m")
