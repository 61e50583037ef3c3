"""Makes signatures for FastAPI: the parameters of an endpoint, a request and a response."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from starlette.requests import HTTPConnection

REQUEST = "bff_request"
"""The parameter in which a wrapper gets the request."""

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


def with_request(wrapper: Callable[..., Any], endpoint: Callable[..., Any]) -> Injection:
    """Set the signature of `wrapper`: parameters of `endpoint`, the request and the response.

    FastAPI injects each type into one parameter only. The parameters of `endpoint` that get the
    request or the response are left out, and returned: the wrapper fills them.
    """
    keyword, hints = inspect.Parameter.KEYWORD_ONLY, _hints_of(endpoint)
    wanted = injection_of(endpoint)
    others = [
        parameter.replace(annotation=hints[name], kind=keyword)
        for name, parameter in inspect.signature(endpoint).parameters.items()
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
    bare = {name: _without_metadata(one) for name, one in hints.items()}
    return tuple(
        name for name, one in bare.items() if isinstance(one, type) and issubclass(one, kind)
    )


def _without_metadata(hint: object) -> object:
    """Return the type of an annotation: that of an alias, or the first of `Annotated`."""
    hint = getattr(hint, "__value__", hint)
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
