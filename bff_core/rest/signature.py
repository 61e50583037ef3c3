"""Makes signatures for FastAPI: the parameters of an endpoint, a request and a response."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from itertools import chain
from typing import Annotated, Any, NamedTuple, get_type_hints

from fastapi import Depends, Request, Response
from starlette.requests import HTTPConnection

from bff_core.auth.access import Access
from bff_core.compat.fastapi import Dependant, all_dependants, get_dependant
from bff_core.compat.fastapi import Depends as Dependency
from bff_core.composition.annotations import without_aliases
from bff_core.composition.composition import Composition
from bff_core.errors import ConfigurationError
from bff_core.extras import has_extra, missing
from bff_core.rest.compose import REQUEST, compose, wired
from bff_core.rest.struct_schema import has_structs, with_built_structs
from bff_core.rest.unreadable_inputs import why_unreadable
from bff_core.routing.declared_access import with_signed_in
from bff_core.scope import Wired

RESPONSE = "bff_response"
"""The parameter in which a wrapper gets the response that FastAPI injects."""


class Injected(NamedTuple):
    """The request and the response that FastAPI injects into a wrapper."""

    request: Request
    response: Response


class Injection(NamedTuple):
    """The parameters of an endpoint that get the request, and those that get the response."""

    requests: tuple[str, ...]
    responses: tuple[str, ...]

    def fill(self, values: dict[str, object]) -> Injected:
        """Replace the wrapper's request and response in `values` by the endpoint's parameters."""
        request, response = values.pop(REQUEST), values.pop(RESPONSE)
        assert isinstance(request, Request)  # noqa: S101 - FastAPI fills it by its type
        assert isinstance(response, Response)  # noqa: S101 - likewise
        values.update(dict.fromkeys(self.requests, request))
        values.update(dict.fromkeys(self.responses, response))
        return Injected(request, response)

    def others(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return the values that FastAPI read from the request."""
        own = (*self.requests, *self.responses)
        return {name: one for name, one in values.items() if name not in own}


def as_function(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function for a `partial` or an object with an async `__call__`.

    Functions and methods are returned as they are.
    """
    if hasattr(endpoint, "__qualname__"):
        return endpoint
    if isinstance(endpoint, partial):
        called = as_function(endpoint.func)
    else:
        called = type(endpoint).__call__
    if not inspect.iscoroutinefunction(called):
        return called

    @wraps(called)
    async def function(**values: object) -> object:
        return await endpoint(**values)

    function.__dict__ |= getattr(endpoint, "__dict__", {})  # such as its access rule
    function.__dict__["__signature__"] = inspect.signature(endpoint)
    return function


def injection_of(endpoint: Callable[..., Any]) -> Injection:
    """Return which parameters of an endpoint are the request, and which the response."""
    hints = _hints_of(endpoint)
    return Injection(_named(hints, HTTPConnection), _named(hints, Response))


@dataclass(frozen=True, slots=True)
class ViewInputs:
    """What FastAPI reads for a view: by its `signature`, and by dependencies declared beside it.

    `own` is what the signature takes, `others` what those dependencies take.
    """

    signature: inspect.Signature
    own: Dependant
    others: Sequence[Dependant]

    @property
    def roots(self) -> Sequence[Dependant]:
        """The signature, then the dependencies beside it."""
        return (self.own, *self.others)

    def every(self) -> Iterator[Dependant]:
        """Yield all of these, and their own dependencies."""
        return chain.from_iterable(map(all_dependants, self.roots))


def signature_of(endpoint: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of an endpoint as FastAPI reads it.

    Annotations are types. A parameter whose type is a composition depends on `compose`, one that is
    made of the request, such as the viewer, on `wired`.
    """
    hints = _hints_of(endpoint)
    parameters = inspect.signature(endpoint).parameters.values()
    return inspect.Signature([_read(one, hints[one.name]) for one in parameters])


def dependant_with(signature: inspect.Signature, path: str) -> Dependant:
    """Return what FastAPI reads from a signature, for a route of this path."""

    def declared() -> None:
        """Has the signature, and is never called."""

    declared.__signature__ = signature  # type: ignore[attr-defined]
    return dependant_of_call(declared, path)


def dependant_of_call(call: Callable[..., object], path: str) -> Dependant:
    """Return what FastAPI reads for a function, for a route of this path.

    Raises `ConfigurationError` for a declaration that FastAPI refuses, and `MissingExtra` for a
    form if python-multipart, which reads forms, is not installed.
    """
    try:
        return get_dependant(path=path, call=call)
    except AssertionError as error:
        raise ConfigurationError(str(error)) from error
    except RuntimeError as error:  # FastAPIError, PydanticUserError, or a form without its reader
        why = why_unreadable(call)
        if why:
            raise ConfigurationError(why) from error
        if has_extra("uploads"):
            raise
        raise missing("uploads", "a form or a file") from error


def access_for(inputs: ViewInputs, access: Access | None) -> Access | None:
    """Return the access rule of a view; with a `SignedIn` it requires a signed-in viewer."""
    return with_signed_in(access, inputs.roots)


def _read(parameter: inspect.Parameter, hint: Any) -> inspect.Parameter:
    given, metadata = without_aliases(hint)
    hint = Annotated[(given, *metadata)] if metadata else given
    if any(isinstance(one, Dependency) for one in (*metadata, parameter.default)):
        return parameter.replace(annotation=hint)
    if isinstance(given, type) and issubclass(given, Composition):
        hint = Annotated[given, Depends(compose(given))]  # type: ignore[arg-type]  # hashable
    elif isinstance(given, type) and issubclass(given, Wired):
        hint = Annotated[given, Depends(wired(given))]
    elif has_structs(hint):
        hint = with_built_structs(hint)
    return parameter.replace(annotation=hint)


def with_request(
    wrapper: Callable[..., Any], endpoint: Callable[..., Any], signature: inspect.Signature
) -> Injection:
    """Set the signature of `wrapper`: parameters of `endpoint`, the request and the response.

    FastAPI injects each type into one parameter only. The parameters of `endpoint` that get the
    request or the response are left out, and returned: the wrapper fills them.
    """
    keyword = inspect.Parameter.KEYWORD_ONLY
    wanted = injection_of(endpoint)
    others = [
        parameter.replace(kind=keyword)
        for name, parameter in signature.parameters.items()
        if name not in {*wanted.requests, *wanted.responses}
    ]
    own = [
        inspect.Parameter(REQUEST, keyword, annotation=Request),
        inspect.Parameter(RESPONSE, keyword, annotation=Response),
    ]
    wrapper.__signature__ = inspect.Signature([*others, *own])  # type: ignore[attr-defined]
    return wanted


def _hints_of(endpoint: Callable[..., Any]) -> Mapping[str, object]:
    hints = get_type_hints(endpoint, include_extras=True)
    parameters = inspect.signature(endpoint).parameters
    return {name: hints.get(name, one.annotation) for name, one in parameters.items()}


def _named(hints: Mapping[str, object], kind: type) -> tuple[str, ...]:
    bare = {name: without_aliases(one)[0] for name, one in hints.items()}
    return tuple(
        name for name, one in bare.items() if isinstance(one, type) and issubclass(one, kind)
    )
