"""Signatures for FastAPI: an endpoint's own parameters, and the request beside them."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from fastapi import Request
from starlette.requests import HTTPConnection

REQUEST = "bff_request"
"""The name under which a wrapped endpoint is handed the request."""


def with_request(wrapper: Callable[..., Any], endpoint: Callable[..., Any]) -> tuple[str, ...]:
    """Give `wrapper` the parameters of `endpoint`, all by keyword, and the request.

    FastAPI fills one parameter with the request, so those of `endpoint` that want it are left out;
    their names are returned, for the wrapper to fill.
    """
    hints = get_type_hints(endpoint, include_extras=True)
    own = inspect.Parameter(REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    parameters = [
        parameter.replace(
            annotation=hints.get(name, parameter.annotation), kind=inspect.Parameter.KEYWORD_ONLY
        )
        for name, parameter in inspect.signature(endpoint).parameters.items()
    ]
    wanted = tuple(one.name for one in parameters if _is_request(one.annotation))
    others = [one for one in parameters if one.name not in wanted]
    wrapper.__signature__ = inspect.Signature([*others, own])  # type: ignore[attr-defined]
    return wanted


def _is_request(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, HTTPConnection)
