"""Renames the inputs of views: query parameters, forms and bodies in camelCase.

Path parameters are named by the path of the route, headers and cookies by others: these stay. So do
the inputs of the author's own dependencies, and names that the author has chosen.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from copy import copy
from types import new_class
from typing import Annotated, Any, get_args, get_origin

import fastapi
from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bff_core.compat.fastapi import (
    Body,
    Dependant,
    Form,
    ModelField,
    all_dependants,
    type_adapter_of,
)
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import COMPOSED_CLASS
from bff_core.rest.compose import composition_of
from bff_core.rest.field_case import camel, camel_body, title_of
from bff_core.rest.name_collisions import Renamed, refuse_collisions


def in_camel_case(signature: inspect.Signature, root: Dependant) -> inspect.Signature:
    """Return the signature of a view whose inputs have names in camelCase; it takes `root`."""
    composed = {
        one.name: _ComposedByOtherNames(one)
        for one in root.dependencies
        if composition_of(one.call) is not None
    }
    _check(root)
    parameters = [
        one.replace(annotation=Annotated[Any, Depends(found)], default=one.empty)
        if (found := composed.get(one.name)) is not None
        else one
        for one in _renamed(signature, root)
    ]
    return signature.replace(parameters=parameters)


class _ComposedByOtherNames:
    """The dependency of a composition, whose inputs have other names.

    It equals `compose(cls)`, which stays the key of `dependency_overrides`.
    """

    def __init__(self, dependant: Dependant) -> None:
        call: Any = dependant.call
        self._compose: Callable[..., AsyncIterator[Composition]] = call
        given = inspect.signature(call)
        self.__signature__ = given.replace(parameters=_renamed(given, dependant))
        self.__name__ = call.__name__
        setattr(self, COMPOSED_CLASS, composition_of(call))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _ComposedByOtherNames):
            return self._compose is other._compose
        return self._compose is other

    def __hash__(self) -> int:
        return hash(self._compose)

    async def __call__(self, **values: object) -> AsyncIterator[Composition]:
        """Build a composition, and close it after the answer."""
        composing: Any = self._compose(**values)
        try:
            yield await anext(composing)
        finally:
            await composing.aclose()


def _renamed(signature: inspect.Signature, dependant: Dependant) -> list[inspect.Parameter]:
    fields = {one.name: one for one in (*dependant.query_params, *dependant.body_params)}
    return [_parameter(one, fields) for one in signature.parameters.values()]


def _check(root: Dependant) -> None:
    """Raise `ConfigurationError` for two inputs of a view and its screens under one name."""
    renamed = [root, *(one for one in root.dependencies if composition_of(one.call) is not None)]
    everywhere = [(one, any(one is each for each in renamed)) for one in all_dependants(root)]
    query = [(field, is_ours) for one, is_ours in everywhere for field in one.query_params]
    body = [(field, is_ours) for one, is_ours in everywhere for field in one.body_params]
    refuse_collisions("the query parameters", _names(query))
    refuse_collisions("the fields of the body", _names(body))


def _names(fields: Iterable[tuple[ModelField, bool]]) -> Iterator[Renamed]:
    """Yield the names of inputs, and of the fields of models that are read as several of them."""
    for field, is_ours in fields:
        info = field.field_info
        kind, is_json = info.annotation, isinstance(info, Body) and not isinstance(info, Form)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not is_json:
            for name, inner in kind.model_fields.items():
                yield _name(name, inner, is_ours=is_ours)
        else:
            yield _name(field.name, info, is_ours=is_ours)


def _name(name: str, info: FieldInfo, *, is_ours: bool) -> Renamed:
    chosen = info.validation_alias or info.alias
    plain = chosen if isinstance(chosen, str) else name
    is_renamed = is_ours and chosen in {None, name}
    return Renamed(name, plain, camel(name) if is_renamed else plain)


def _parameter(parameter: inspect.Parameter, fields: Mapping[str, ModelField]) -> inspect.Parameter:
    field = fields.get(parameter.name)
    if field is None:
        return parameter
    info = field.field_info
    is_chosen = info.alias not in {None, field.name} or info.validation_alias is not None
    alias = None if is_chosen else camel(field.name)
    title = info.title or title_of(field.name, type_adapter_of(field).core_schema)
    if isinstance(info, Body) and not isinstance(info, Form):
        return _body(parameter, field, info, alias or info.alias)
    default, hint = parameter.default, parameter.annotation
    given, *metadata = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if isinstance(default, FieldInfo):  # `first: int = Query(3)`: FastAPI reads no other alias then
        default = copy(default)
        if alias is not None:
            default.alias = default.validation_alias = default.serialization_alias = alias
            default.title = title
    elif alias is not None:
        metadata.append(Field(alias=alias, title=title))
    hint = Annotated[(_camel_model(given), *metadata)] if metadata else _camel_model(given)
    return parameter.replace(annotation=hint, default=default)


def _body(
    parameter: inspect.Parameter, field: ModelField, info: Body, alias: str | None
) -> inspect.Parameter:
    """Return a parameter whose type reads the body, with the constraints of the author."""
    default = info.default if isinstance(parameter.default, FieldInfo) else parameter.default
    if default is PydanticUndefined or default is ...:
        default = parameter.empty
    renamed = fastapi.Body(
        alias=alias,
        default_factory=info.default_factory,  # type: ignore[arg-type]  # FastAPI made it
        embed=info.embed,
        media_type=info.media_type,
        title=info.title,
        description=info.description,
        examples=info.examples,
        openapi_examples=info.openapi_examples,
        deprecated=info.deprecated,
        include_in_schema=info.include_in_schema,
        json_schema_extra=info.json_schema_extra,
    )
    kind = camel_body(type_adapter_of(field).core_schema)
    return parameter.replace(annotation=Annotated[kind, renamed], default=default)


def _camel_model(hint: Any) -> Any:
    """Return a model of a query or a form with names in camelCase; another type as it is."""
    if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        return hint
    if hint.model_config.get("alias_generator"):
        return hint
    members = {
        "model_config": ConfigDict(alias_generator=camel),
        "__doc__": hint.__doc__,
        "__module__": hint.__module__,
    }
    return new_class(hint.__name__, (hint,), exec_body=lambda body: body.update(members))
