"""Security schemes in OpenAPI: how callers authenticate, and which operations demand it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator, each_of, name_of
from bff_core.routing.access import RouteAccess

Document = dict[str, Any]


def with_security(
    document: Document, authenticator: Authenticator | None, access: Sequence[RouteAccess]
) -> Document:
    """Return a document with security schemes, and a requirement for each closed operation.

    Any one of a gateway's ways to sign in will do (OpenAPI 3.1, section 4.8.30).
    """
    schemes = dict(_schemes(each_of(authenticator)))
    if not schemes:
        return document
    document.setdefault("components", {})["securitySchemes"] = schemes
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            rule = _rule_of(access, path, method.upper())
            if rule is not None and isinstance(operation, dict):
                operation["security"] = [{name: list(rule.scopes)} for name in schemes]
                _describe_refusals(operation)
    return document


def _schemes(authenticators: Iterable[Authenticator]) -> Iterable[tuple[str, Mapping[str, object]]]:
    for one in authenticators:
        scheme = getattr(one, "security_scheme", None)
        if isinstance(scheme, Mapping):
            yield name_of(one), scheme


def _rule_of(access: Sequence[RouteAccess], path: str, method: str) -> Require | None:
    """Return what the route of an operation takes; None where that is nothing."""
    for one in access:
        if one.path == path and method in one.methods:
            return one.access if isinstance(one.access, Require) else None
    return None


def _describe_refusals(operation: Document) -> None:
    responses = operation.setdefault("responses", {})
    problem: Document = {"content": {"application/problem+json": {}}}
    responses.setdefault("401", {"description": "Nobody is signed in", **problem})
    responses.setdefault("403", {"description": "Somebody else may", **problem})
