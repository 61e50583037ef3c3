"""`compose(ProductPage)`: a composition as a FastAPI dependency."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import MISSING
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import Field
from starlette.types import Scope as ASGIScope

from bff_core.composition.composition import Composition
from bff_core.composition.tracked_scope import tracked
from bff_core.composition.wiring import COMPOSED_CLASS, Input, shape_of
from bff_core.errors import ConfigurationError
from bff_core.http_exchange.request_context import SCOPE
from bff_core.rest.struct_schema import has_structs, with_built_structs
from bff_core.routing.declared_access import WIRED_CLASS
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Wired

C = TypeVar("C", bound=Composition)

W = TypeVar("W", bound=Wired)

REQUEST = "bff_request"
"""The parameter in which a wrapper gets the request."""

COMPOSED = "bff.composed"
"""The key in the ASGI scope of the list of compositions that were built for its answer."""


@cache
def compose(cls: type[C]) -> Callable[..., AsyncIterator[C]]:
    """Return a dependency that builds a composition per request and closes it after the answer.

    Views compose their parameters by themselves; this is for plain routes of FastAPI. The inputs
    of the composition become parameters of the route, validated and in OpenAPI: of the path if it
    names them, else of the query, or as the field declares (`Annotated[str, Header()]`). A
    dataclass, a Struct or a pydantic model is the body. Two calls with one class return the same
    function, so it can be a key of `dependency_overrides`.
    """
    if not isinstance(cls, type) or not issubclass(cls, Composition):
        shown = cls.__name__ if isinstance(cls, type) else f"{type(cls).__name__}(...)"
        raise ConfigurationError(f"compose({shown}): pass a subclass of Composition")

    async def dependency(bff_request: Request, **inputs: object) -> AsyncIterator[C]:
        asgi: ASGIScope = bff_request.scope
        composition = wiring_of(asgi).build(cls, asgi[SCOPE], inputs)
        asgi.setdefault(COMPOSED, []).append(composition)
        try:
            yield composition
        finally:
            await composition.aclose()

    parameters = [Parameter(REQUEST, Parameter.KEYWORD_ONLY, annotation=Request)]
    parameters += [_parameter(cls, one) for one in shape_of(cls).inputs]
    dependency.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    dependency.__name__ = f"compose_{cls.__name__}"
    setattr(dependency, COMPOSED_CLASS, cls)
    return dependency


@cache
def wired(kind: type[W]) -> Callable[..., Coroutine[object, object, W]]:
    """Return a dependency that makes a value of the request, such as its viewer or its locale."""

    async def dependency(request: Request) -> W:
        return kind.from_scope(tracked(request.scope[SCOPE]))

    setattr(dependency, WIRED_CLASS, kind)
    return dependency


def _parameter(cls: type[Composition], one: Input) -> Parameter:
    if isinstance(one.annotation, type) and issubclass(one.annotation, Composition):
        other = one.annotation.__name__
        raise ConfigurationError(
            f"{cls.__name__}.{one.name} is the composition {other}: extend it, as in "
            f"class {cls.__name__}({other}), or take both in the view"
        )
    if one.name == REQUEST:
        raise ConfigurationError(f"{cls.__name__}.{one.name}: rename it: the gateway uses the name")
    default = Parameter.empty if one.default is MISSING else one.default
    hint: Any = one.annotation
    if has_structs(hint):
        hint = with_built_structs(hint)
    if one.factory is not None:
        # FastAPI calls it for each request. It ignores it if a path has the name of the input.
        hint = Annotated[hint, Field(default_factory=one.factory)]
    return Parameter(one.name, Parameter.KEYWORD_ONLY, annotation=hint, default=default)


def composition_of(dependency: object) -> type[Composition] | None:
    """Return the class of composition that a dependency builds; None for any other function."""
    return getattr(dependency, COMPOSED_CLASS, None)


def wired_of(dependency: object) -> type[Wired] | None:
    """Return the class of a value that a dependency makes of the request; None for any other."""
    return getattr(dependency, WIRED_CLASS, None)
