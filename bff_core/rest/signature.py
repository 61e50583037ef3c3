"""Signatures for FastAPI: an endpoint's own parameters, and the request beside them."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from fastapi import Request

REQUEST = "bff_request"
"""The name under which a wrapped endpoint is handed the request."""


def with_request(wrapper: Callable[..., Any], endpoint: Callable[..., Any]) -> None:
    """Give `wrapper` the parameters of `endpoint`, all by keyword, and the request."""
    hints = get_type_hints(endpoint, include_extras=True)
    own = inspect.Parameter(REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    parameters = [
        parameter.replace(
            annotation=hints.get(name, parameter.annotation), kind=inspect.Parameter.KEYWORD_ONLY
        )
        for name, parameter in inspect.signature(endpoint).parameters.items()
    ]
    wrapper.__signature__ = inspect.Signature([*parameters, own])  # type: ignore[attr-defined]
