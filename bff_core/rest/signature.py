"""Signatures for FastAPI: the parameters of an endpoint, the request and the response."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from starlette.requests import HTTPConnection

REQUEST = "bff_request"
"""The name under which a wrapped endpoint is handed the request."""

RESPONSE = "bff_response"
"""The name under which a wrapped endpoint is handed the response that FastAPI injects."""


class Injected(NamedTuple):
    """What FastAPI injects into a wrapped endpoint: the request, and the response to write to."""

    request: Request
    response: Response


class Injection(NamedTuple):
    """The parameters of an endpoint that FastAPI fills by their types."""

    requests: tuple[str, ...]
    responses: tuple[str, ...]

    def fill(self, values: dict[str, object]) -> Injected:
        """Take what FastAPI injected out of the wrapper's values, and put in the endpoint's own."""
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
    """Return a coroutine function for a `partial` or an object that is called like one.

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
    """Give `wrapper` the parameters of `endpoint`, all by keyword, the request and the response.

    FastAPI fills one parameter each by its type, so those of `endpoint` are left out; they are
    returned, for the wrapper to fill.
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
    """Return the type that FastAPI goes by: that of an alias, or the first of `Annotated`."""
    hint = getattr(hint, "__value__", hint)
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
