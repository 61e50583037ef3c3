"""`compose(ProductPage)`: a composition as a FastAPI dependency."""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from inspect import Parameter, Signature
from typing import TypeVar

from fastapi import Request

from bff_core.composition.composition import Composition
from bff_core.composition.wiring import COMPOSED_CLASS, Input, shape_of
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import SCOPE
from bff_core.rest.struct_input import as_input
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope

C = TypeVar("C", bound=Composition)

COMPOSED = "bff.composed"
"""The key in the ASGI scope of the list of compositions that were built for its answer."""


@cache
def compose(cls: type[C]) -> Callable[..., AsyncIterator[C]]:
    """Return a dependency that builds a composition per request and closes it after the answer.

    Its inputs become path or query parameters of the route, validated and in OpenAPI, with the
    `Annotated` metadata of the fields (`Annotated[int, Query(ge=1)]`). Two calls with one class
    return the same function, so it can be a key of `dependency_overrides`.
    """
    if not isinstance(cls, type) or not issubclass(cls, Composition):
        shown = cls.__name__ if isinstance(cls, type) else f"{type(cls).__name__}(...)"
        raise ConfigurationError(f"compose({shown}): pass a subclass of Composition")

    async def dependency(request: Request, **inputs: object) -> AsyncIterator[C]:
        scope: Scope = request.scope[SCOPE]
        composition = wiring_of(request.scope).build(cls, scope, inputs)
        request.scope.setdefault(COMPOSED, []).append(composition)
        try:
            yield composition
        finally:
            await composition.aclose()

    parameters = [Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)]
    parameters += [_parameter(one) for one in shape_of(cls).inputs]
    dependency.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    dependency.__name__ = f"compose_{cls.__name__}"
    setattr(dependency, COMPOSED_CLASS, cls)
    return dependency


def _parameter(one: Input) -> Parameter:
    default = Parameter.empty if one.is_required else one.default
    annotation = as_input(one.annotation)
    return Parameter(one.name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def inputs_of(values: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a view, and the inputs of its compositions, by their names."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Composition):
            found |= {one.name: getattr(value, one.name) for one in shape_of(type(value)).inputs}
        else:
            found[name] = value
    return found


def composition_of(dependency: object) -> type[Composition] | None:
    """Return the class of composition that a dependency builds; None for any other function."""
    return getattr(dependency, COMPOSED_CLASS, None)
