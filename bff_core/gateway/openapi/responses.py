"""The responses of operations: which errors can happen, and the headers of each response."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator
from bff_core.edge.options import EdgeOptions
from bff_core.edge.request_id import MAX_REQUEST_ID
from bff_core.gateway.openapi.operation import Document, RestOperation
from bff_core.policy.edge.idempotency import UNSAFE
from bff_core.policy.edge.rate_limits import Limit
from bff_core.rest.idempotency import KEY_PARAMETER
from bff_core.rest.openapi import PROBLEM_CONTENT

HEADERS: Final[Mapping[str, Document]] = {
    "Access-Control-Allow-Origin": {
        "description": "The origin whose pages may read the answer, if it is one of those of the "
        "gateway.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "Whether the answer may be stored: a degraded answer and an error are "
        "`no-store`.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The entity tag of a complete answer, for `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` for the stored answer of an earlier request with the same "
        "Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Part-Status": {
        "description": "How each part of the screen ended (RFC 9651 dictionary): "
        "`product=ok, reviews=fallback;reason=timeout`.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of each limit of the caller: `r` requests or calls, `t` "
        "seconds until the limit is full again (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limits of the caller: a quota of `q` in a window of `w` seconds.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "In how many seconds the request may be sent again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 9110, section 11.6.1).",
        "schema": {"type": "string"},
    },
    "X-Request-ID": {
        "description": "The id of the request in the log of the gateway.",
        "schema": {"type": "string", "maxLength": MAX_REQUEST_ID},
    },
}

_ON_ALL: Final = ("Cache-Control", "X-Request-ID")
_OF_LIMITS: Final = ("RateLimit", "RateLimit-Policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the edge of a gateway does to requests, as far as OpenAPI shows it."""

    options: EdgeOptions
    limits: Sequence[Limit]
    authenticator: Authenticator | None
    has_cookies: bool


def complete_responses(operation: RestOperation, edge: Edge) -> None:
    """Add the errors that can happen, and the headers of each response.

    What the route declares for a status stays, and gets what it lacks.
    """
    limits = [one for one in edge.limits if _may_apply(one, operation)]
    is_keyed = _is_keyed(operation, edge)
    if is_keyed:
        operation.add_parameter(KEY_PARAMETER)
    responses = operation.responses
    for status, description in _errors(operation, edge, limits, is_keyed=is_keyed):
        responses.setdefault(status, {}).setdefault("description", description)
    if operation.view is not None and operation.view.has_tag:
        responses.setdefault("304", {"description": "The client has this answer already"})
    for status, response in responses.items():
        if status[0] in "45d":
            response.setdefault("content", deepcopy(PROBLEM_CONTENT))
        names = [*_ON_ALL, *_limit_headers(status, operation, limits)]
        names += ["Access-Control-Allow-Origin"] if edge.options.cors.origins else []
        _refer_to([*names, *_own_headers(status, operation, edge, is_keyed=is_keyed)], response)
    ordered = sorted(responses.items(), key=lambda one: (not one[0].isdigit(), one[0]))
    operation.shown["responses"] = dict(ordered)


def _refer_to(names: Iterable[str], response: Document) -> None:
    """Add headers to a response, but those that the route declares."""
    headers = response.setdefault("headers", {})
    given = {name.lower() for name in headers}
    for name in sorted(names):
        if name.lower() not in given:
            headers[name] = {"$ref": f"#/components/headers/{name}"}


def _limit_headers(status: str, operation: RestOperation, limits: Sequence[Limit]) -> Sequence[str]:
    """Return the headers of rate limits, if a response may have them.

    Wrong credentials are refused before any limit is checked, but those by address.
    """
    is_first = status == "401" and not isinstance(operation.access, Require)
    counted = [one for one in limits if one.by == "address"] if is_first else limits
    return _OF_LIMITS if counted else ()


def add_headers(document: Document, operations: Sequence[RestOperation]) -> None:
    """Add the headers to which the responses refer."""
    every = [response["headers"] for one in operations for response in one.responses.values()]
    used = {name: deepcopy(HEADERS[name]) for name in HEADERS if any(name in one for one in every)}
    if used:
        document.setdefault("components", {})["headers"] = used


def _errors(
    operation: RestOperation, edge: Edge, limits: Sequence[Limit], *, is_keyed: bool
) -> Iterator[tuple[str, str]]:
    """Yield the status and the description of each error that a request may get."""
    is_guarded = isinstance(operation.access, Require)
    has_body = "requestBody" in operation.shown
    yield "400", "The request is malformed" + (", or so is its Idempotency-Key" if is_keyed else "")
    if edge.authenticator is not None:
        yield "401", "The caller is not authenticated" if is_guarded else "Wrong credentials"
    if is_guarded or (edge.has_cookies and operation.method in UNSAFE):
        yield "403", "The caller is not allowed to do this"
    if operation.has_screen or any(one["in"] == "path" for one in operation.parameters):
        yield "404", "There is no such thing"
    if is_keyed:
        yield (
            "409",
            (
                "A conflict; or the first request with this key has not ended "
                "(`idempotency_key_in_use`): retry after Retry-After seconds"
            ),
        )
    if has_body:
        yield "413", "The body is too large"
        yield "415", "The body has another media type, charset or coding"
    if is_keyed:
        yield (
            "422",
            (
                "Invalid input; or another request was sent with this key before "
                "(`idempotency_key_reused`)"
            ),
        )
    elif has_body or any(one["name"] != "_meta" for one in operation.parameters):
        yield "422", "Invalid input"
    if limits:
        yield "429", "The caller is over a limit: retry after Retry-After seconds"
    yield "500", "Internal error"
    if operation.has_screen:
        yield "502", "A service failed"
    yield "503", "The gateway is overloaded, or a service or a store is unavailable"
    yield "504", "The answer was not ready in time"


def _own_headers(
    status: str, operation: RestOperation, edge: Edge, *, is_keyed: bool
) -> Iterator[str]:
    """Yield the headers that only some responses have."""
    view = operation.view
    if view is not None and view.has_parts and status in {str(view.status), "304"}:
        yield "Part-Status"
    if view is not None and view.has_tag and status in {"200", "304"}:
        yield "ETag"
    if is_keyed and status.startswith("2"):
        yield "Idempotency-Replayed"
    if status in {"429", "503"} or (status == "409" and is_keyed):
        yield "Retry-After"
    if status == "401" and edge.authenticator is not None:
        yield "WWW-Authenticate"


def _is_keyed(operation: RestOperation, edge: Edge) -> bool:
    has_store = edge.options.idempotency is not None
    return has_store and operation.method in UNSAFE and operation.entry.is_keyed


def _may_apply(limit: Limit, operation: RestOperation) -> bool:
    """Whether a limit applies to requests of an operation, or to some of them."""
    if limit.methods and operation.method not in limit.methods:
        return False
    is_below: Any = operation.entry.is_below
    if any(is_below(one) is True for one in limit.exempt):
        return False
    return any(is_below(one) is not False for one in limit.paths)
