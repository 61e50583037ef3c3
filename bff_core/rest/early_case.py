"""Gives the values that a progressive answer sends early the names of the whole answer."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import starmap
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel

from bff_core.rest.exact_types import fields_of, has_fields, is_struct
from bff_core.rest.field_case import Case, camel
from bff_core.rest.progressive_parts import EarlyPart, returned_by
from bff_core.rest.response_model import Dump, ResponseModel


def renamed_part(part: EarlyPart, answer: Any, view: str, case: Case) -> EarlyPart:
    """Return a part whose value has other names.

    A dictionary holds fields of the view's `answer`: each is encoded as this field. A value of
    another declared type is encoded as this type, and one without a declared type as its class.
    """
    model = partial(ResponseModel, dump=Dump(), view=view, case=case)
    declared = returned_by(part.present)
    if _is_declared(declared):
        found = model(declared)
        return EarlyPart(part.part, _then(part, _encoder(found)), found.schema)
    encode = _ByClass(answer, model)
    return EarlyPart(part.part, _then(part, encode.value))


def _is_declared(declared: Any) -> bool:
    """Whether a type says more of a value than that it is a dictionary."""
    kind = get_origin(declared) or declared
    if kind in {Union, UnionType}:
        return all(_is_declared(one) for one in get_args(declared))
    return kind not in {Any, object} and isinstance(kind, type) and not issubclass(kind, Mapping)


class _ByClass:
    """Encodes values whose type is known only when they are there."""

    def __init__(self, answer: Any, model: Callable[[Any], ResponseModel]) -> None:
        self._model = model
        self._fields = {
            name: (alias, _encoder(model(hint))) for name, (alias, hint) in _fields(answer).items()
        }
        self._classes: dict[type, Callable[[Any], object]] = {}

    def value(self, value: Any) -> object:
        """Return a value with other names; the names of a dictionary are those of the answer."""
        if not isinstance(value, Mapping):
            return self._item(value)
        return dict(starmap(self._field, value.items()))

    def _field(self, name: str, value: Any) -> tuple[str, object]:
        alias, encode = self._fields.get(name, (name, self._item))
        return alias, encode(value)

    def _item(self, value: Any) -> object:
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return [self._item(one) for one in value]
        if isinstance(value, Mapping):
            return {name: self._item(one) for name, one in value.items()}
        kind = type(value)
        if not (has_fields(kind) or isinstance(value, BaseModel)):
            return value
        if kind not in self._classes:
            self._classes[kind] = _encoder(self._model(kind))
        return self._classes[kind](value)


def _encoder(model: ResponseModel) -> Callable[[Any], object]:
    return lambda value: msgspec.Raw(model.encode(value))


def _then(part: EarlyPart, encode: Callable[[Any], object]) -> Callable[[Any, Any], object]:
    return lambda value, composition: encode(part.present(value, composition))


def _fields(answer: Any) -> dict[str, tuple[str, Any]]:
    """Return the names of the fields of a view's answer, each with its type, by names in Python."""
    if isinstance(answer, type) and issubclass(answer, BaseModel):
        return {
            name: (one.serialization_alias or one.alias or camel(name), one.annotation)
            for name, one in answer.model_fields.items()
        }
    if not has_fields(answer):
        return {}
    own = (
        dict(zip(answer.__struct_fields__, answer.__struct_encode_fields__, strict=True))
        if is_struct(answer)
        else {}
    )
    return {
        name: (camel(name) if own.get(name, name) == name else own[name], hint)
        for name, hint in fields_of(answer).items()
    }
