"""Reads the parameters of a request as the contract describes them: styles, lists, objects."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from bff_core.contracts.document import HttpOperation, HttpParameter
from bff_core.contracts.types import (
    Array,
    Enum,
    Field,
    Json,
    Map,
    Nullable,
    ObjectType,
    Scalar,
    Type,
    Union,
)

SEPARATORS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}
IGNORED: Final = {"accept", "content-type", "authorization"}
"""Headers that a contract describes elsewhere: as the content and the security of an operation."""

INTEGER: Final = re.compile(r"-?[0-9]{1,40}")
NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")

Resolve = Callable[[Type], Type]


@dataclass(frozen=True, slots=True)
class Received:
    """The texts of a request in which parameters are."""

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]


def parameters_of(operation: HttpOperation) -> Iterable[HttpParameter]:
    """Return the parameters of an operation, without headers that are described elsewhere."""
    for one in operation.parameters:
        if one.place != "header" or one.name.lower() not in IGNORED:
            yield one


def read(parameter: HttpParameter, received: Received, resolve: Resolve) -> Json:
    """Return the value of a parameter; None if it is absent.

    A text that is no value of the type stays a text, so that the validator reports it.
    """
    if parameter.media_type:
        text = _text(parameter, received)
        return None if text is None else _json(text)
    kind = resolve(parameter.type)
    if parameter.place == "query":
        return _of_query(parameter, kind, received.query, resolve)
    text = _text(parameter, received)
    return None if text is None else _of_text(parameter, kind, text, resolve)


def _text(parameter: HttpParameter, received: Received) -> str | None:
    if parameter.place == "path":
        return received.path.get(parameter.name)
    if parameter.place == "header":
        return received.headers.get(parameter.name.lower())
    if parameter.place == "cookie":
        return received.cookies.get(parameter.name)
    return next((text for name, text in received.query if name == parameter.name), None)


def _of_query(
    parameter: HttpParameter, kind: Type, query: Sequence[tuple[str, str]], resolve: Resolve
) -> Json:
    name = parameter.name
    if isinstance(kind, ObjectType | Map) and parameter.style == "deepObject":
        return _deep(name, kind, query, resolve) or None
    if isinstance(kind, ObjectType) and parameter.is_exploded:
        known = {one.name for one in kind.fields}
        pairs = ((key, text) for key, text in query if key in known)
        return {key: _value(_type_of(kind, key), text, resolve) for key, text in pairs} or None
    texts = [text for key, text in query if key in {name, f"{name}[]"}]
    if not texts:
        return None
    if isinstance(kind, Array):
        if not parameter.is_exploded:
            separator = SEPARATORS.get(parameter.style, ",")
            texts = [part for one in texts for part in (one.split(separator) if one else [])]
        return [_value(kind.items, one, resolve) for one in texts]
    if isinstance(kind, ObjectType | Map):
        return _pairs(kind, texts[-1].split(","), resolve)
    return _value(kind, texts[-1], resolve)


def _of_text(parameter: HttpParameter, kind: Type, text: str, resolve: Resolve) -> Json:
    """Return the value of a path parameter, a header or a cookie."""
    separator = ","
    if parameter.style == "label":
        text, separator = text.removeprefix("."), "." if parameter.is_exploded else ","
    elif parameter.style == "matrix":
        text = re.sub(rf";{re.escape(parameter.name)}=", ",", text).lstrip(",;")
    parts = text.split(separator) if text else []
    if isinstance(kind, Array):
        return [_value(kind.items, _plain(parameter, one), resolve) for one in parts]
    if isinstance(kind, ObjectType | Map):
        if parameter.is_exploded:
            parts = [half for one in parts for half in one.partition("=")[::2]]
        return _pairs(kind, [_plain(parameter, one) for one in parts], resolve)
    return _value(kind, _plain(parameter, text), resolve)


def _plain(parameter: HttpParameter, text: str) -> str:
    return unquote(text) if parameter.place == "path" else text.strip()


def _pairs(kind: ObjectType | Map, parts: Sequence[str], resolve: Resolve) -> dict[str, Json]:
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return {key: _value(_type_of(kind, key), text, resolve) for key, text in pairs}


def _deep(
    name: str, kind: ObjectType | Map, query: Sequence[tuple[str, str]], resolve: Resolve
) -> dict[str, Json]:
    """Return an object that is written as `filter[status]=open`."""
    found: dict[str, Json] = {}
    for key, text in query:
        if key.startswith(f"{name}[") and key.endswith("]"):
            field = key.removeprefix(f"{name}[")[:-1]
            field = field.removesuffix("[]").removesuffix("][")
            of_field = resolve(_type_of(kind, field))
            if isinstance(of_field, Array):
                items = found.setdefault(field, [])
                if isinstance(items, list):
                    items.append(_value(of_field.items, text, resolve))
            else:
                found[field] = _value(of_field, text, resolve)
    return found


def _type_of(kind: ObjectType | Map, name: str) -> Type:
    if isinstance(kind, Map):
        return kind.values
    fields: Mapping[str, Field] = {one.name: one for one in kind.fields}
    return fields[name].type if name in fields else Scalar("string")


def _value(kind: Type, text: str, resolve: Resolve) -> Json:
    """Return a text as the value that its type suggests."""
    if isinstance(kind, Nullable) and text in {"", "null"}:
        return None if text == "null" else text
    found = resolve(kind)
    options = found.options if isinstance(found, Union) else (found,)
    for one in map(resolve, options):
        if isinstance(one, Enum):
            same = [value for value in one.values if _written(value) == text]
            if same:
                return same[0]
        elif isinstance(one, Scalar) and (value := _scalar(one, text)) is not None:
            return value
    return text


def _written(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(kind: Scalar, text: str) -> Json:
    if kind.kind == "boolean":
        return {"true": True, "false": False}.get(text)
    if kind.kind == "integer":
        return int(text) if INTEGER.fullmatch(text) else None
    if kind.kind == "number":
        return float(text) if NUMBER.fullmatch(text) else None
    return text


def _json(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
