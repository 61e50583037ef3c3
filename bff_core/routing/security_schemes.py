"""Security schemes in OpenAPI: how callers authenticate, and which operations require it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator, each_of, name_of
from bff_core.routing.access import RouteAccess

Document = dict[str, Any]


def with_security(
    document: Document, authenticator: Authenticator | None, access: Sequence[RouteAccess]
) -> Document:
    """Add security schemes to a document, and a requirement to each operation that has a rule.

    A caller satisfies a requirement with any one of the schemes (OpenAPI 3.1, section 4.8.30).
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
    """Return the access rule of an operation; None if anyone may call it."""
    for one in access:
        if one.path == path and method in one.methods:
            return one.access if isinstance(one.access, Require) else None
    return None


def _describe_refusals(operation: Document) -> None:
    responses = operation.setdefault("responses", {})
    problem: Document = {"content": {"application/problem+json": {}}}
    responses.setdefault("401", {"description": "The caller is not authenticated", **problem})
    responses.setdefault("403", {"description": "The caller is not allowed to do this", **problem})
