"""The `idempotency=` option of views: requires an `Idempotency-Key`, documented in OpenAPI."""

from typing import Any, Final, Literal

from fastapi import Request

from bff_core.errors import ClientError, ConfigurationError
from bff_core.policy.edge.idempotency import KEY_PATTERN, MAX_FIELD_LENGTH

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


KEY_PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same key gets the same answer for a day: a request can be sent again "
    "without being executed twice.",
    "schema": {"type": "string", "pattern": KEY_PATTERN, "maxLength": MAX_FIELD_LENGTH},
}
"""The header as a parameter in OpenAPI."""
