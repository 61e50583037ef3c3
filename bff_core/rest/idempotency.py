"""The `idempotency=` option of views: requires an `Idempotency-Key`, documented in OpenAPI."""

from typing import Any, Literal

from fastapi import Request

from bff_core.errors import ClientError, ConfigurationError
from bff_core.policy.edge.idempotency import KEY_PATTERN
from bff_core.rest.openapi import PROBLEM

KeyRule = Literal["optional", "required"]
"""Whether a write needs an `Idempotency-Key`."""

HEADER = "Idempotency-Key"


def key_rule(option: object, method: str) -> KeyRule:
    """Return the checked `idempotency=` option of a view; raise `ConfigurationError`."""
    if option == "required" and method != "GET":
        return "required"
    if option == "optional":
        return "optional"
    raise ConfigurationError(
        f"idempotency={option!r} of a {method} view: only views that change something may have it, "
        "and it is 'optional' or 'required'"
    )


async def key_required(request: Request) -> None:
    """Refuse a request without a key with 400; a dependency. The edge has checked its syntax."""
    if HEADER not in request.headers:
        raise ClientError(f"{HEADER} is missing: send one, such as a UUID, and keep it to retry.")


def key_parameter(rule: KeyRule) -> dict[str, Any]:
    """Return the header as a parameter in OpenAPI."""
    return {
        "name": HEADER,
        "in": "header",
        "required": rule == "required",
        "description": "The same key gets the same answer for a day: a request can be sent again "
        "without being executed twice.",
        "schema": {"type": "string", "pattern": KEY_PATTERN},
    }


KEY_RESPONSES: dict[int | str, dict[str, Any]] = {
    409: PROBLEM
    | {
        "description": "A conflict; or the first request with this key has not ended "
        "(`idempotency_key_in_use`): retry after Retry-After seconds"
    },
    422: PROBLEM
    | {
        "description": "Invalid input; or another request was sent with this key before "
        "(`idempotency_key_reused`)"
    },
}
