"""Gives the values that a progressive answer sends early the names of the whole answer."""

from collections.abc import Callable, Mapping
from inspect import isfunction
from typing import Any, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel

from bff_core.rest.exact_types import fields_of, has_fields, is_struct
from bff_core.rest.field_case import Case, camel
from bff_core.rest.progressive_parts import EarlyPart
from bff_core.rest.response_model import Dump, ResponseModel


def renamed_part(part: EarlyPart, answer: Any, view: str, case: Case) -> EarlyPart:
    """Return a part whose value has other names.

    A dictionary holds fields of the view's `answer`: each is encoded as this field. A value of
    another declared type is encoded as this type.
    """
    declared = _declared(part.present)
    kind = get_origin(declared) or declared
    if isinstance(kind, type) and not issubclass(kind, Mapping) and kind is not object:
        model = ResponseModel(declared, Dump(), view, case)
        return EarlyPart(part.part, _then(part, lambda value: msgspec.Raw(model.encode(value))))
    fields = {
        name: (alias, ResponseModel(hint, Dump(), view, case))
        for name, (alias, hint) in _fields(answer).items()
    }

    def encoded(value: Any) -> object:
        if not isinstance(value, Mapping):
            return value
        known = {name: fields.get(name) for name in value}
        return {
            name if field is None else field[0]: (
                value[name] if field is None else msgspec.Raw(field[1].encode(value[name]))
            )
            for name, field in known.items()
        }

    return EarlyPart(part.part, _then(part, encoded))


def _declared(present: Callable[..., object]) -> Any:
    """Return the type that a presenter declares; None for a class, and for any other object."""
    if not isfunction(present):
        return None
    try:
        return get_type_hints(present).get("return")
    except NameError:  # a name of the function around it
        return None


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
