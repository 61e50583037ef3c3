"""Reads responses of GraphQL services: the data, the errors, and the status that they stand for."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

STATUSES: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ("UNAUTHENTICATED", "NOT_AUTHENTICATED", "AUTH_NOT_AUTHENTICATED", "UNAUTHORIZED"), 401
    ),
    **dict.fromkeys(
        ("FORBIDDEN", "NOT_ALLOWED", "PERMISSION_DENIED", "ACCESS_DENIED", "AUTH_NOT_AUTHORIZED"),
        403,
    ),
    "NOT_FOUND": 404,
    **dict.fromkeys(("CONFLICT", "ALREADY_EXISTS"), 409),
    **dict.fromkeys(("BAD_USER_INPUT", "INVALID_INPUT"), 422),
    **dict.fromkeys(
        (
            *("BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"),
            *("OPERATION_RESOLUTION_FAILURE", "VALIDATIONERROR", "INVALIDSYNTAX"),
            *("PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED", "MAX_COST_EXCEEDED"),
        ),
        400,
    ),
    **dict.fromkeys(("RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "THROTTLED", "TOO_MANY_REQUESTS"), 429),
    **dict.fromkeys(
        ("INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "INTERNAL", "DOWNSTREAM_SERVICE_ERROR"), 500
    ),
    **dict.fromkeys(("UNAVAILABLE", "SERVICE_UNAVAILABLE", "OVERLOADED"), 503),
    **dict.fromkeys(("TIMEOUT", "GATEWAY_TIMEOUT", "DEADLINE_EXCEEDED"), 504),
}
"""The status of each code that servers use, in upper case: those of Apollo, Spring and others."""

MAX_ERRORS: Final = 50
"""How many errors of a response are read."""

MAX_CODE_CHARACTERS: Final = 60
MAX_PATH_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class GraphQLError:
    """An error of a GraphQL service.

    `code` is that of its extensions in upper case, or empty. `path` is that of the field in the
    response, such as `products[3].price`. `status` is what the code stands for, None if that is
    unknown. `retry_after` is in seconds.
    """

    message: str
    code: str = ""
    path: str = ""
    status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class GraphQLResponse:
    """A response: `data` is its JSON, None if it is absent, "null" if a field failed up to it."""

    data: bytes | None
    errors: tuple[GraphQLError, ...]

    @property
    def has_failed(self) -> bool:
        """Whether errors left nothing of the data: it is absent or null, or each root field is."""
        if not self.errors:
            return False
        if self.data is None or self.data == b"null":
            return True
        if self.is_absence:
            return False
        fields = _decode_fields(self.data)
        return all(bytes(value) == b"null" for value in fields.values())

    @property
    def is_absence(self) -> bool:
        """Whether all errors say that something does not exist, as a 404 does."""
        return bool(self.errors) and all(error.status == 404 for error in self.errors)

    @property
    def status(self) -> int | None:
        """The status that the errors stand for; None if their codes are unknown.

        Errors of the service come first. Without any code the request was invalid if there is no
        data entry; otherwise a field failed (the GraphQL specification, section 7.1).
        """
        known = [error.status for error in self.errors if error.status is not None]
        if known:
            return next((status for status in known if status >= 500), known[0])
        if any(error.code for error in self.errors):
            return None
        return 400 if self.data is None else 500


class _Response(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    errors: Any = None
    extensions: Any = None


_decode: Final = msgspec.json.Decoder(_Response).decode
_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def graphql_response(body: bytes) -> GraphQLResponse:
    """Read a response; raise `msgspec.DecodeError` for a body that is none."""
    response = _decode(body)
    data = bytes(response.data) or None
    listed = response.errors if isinstance(response.errors, list) else ()
    wait = _throttled_seconds(response.extensions)
    return GraphQLResponse(data, tuple(_errors(listed[:MAX_ERRORS], wait)))


def _errors(listed: Sequence[object], wait: float | None) -> Iterator[GraphQLError]:
    for one in listed:
        error = one if isinstance(one, dict) else {}
        extensions = _mapping(error.get("extensions"))
        code = _code(error, extensions)
        status = STATUSES.get(code) or _http_status(extensions)
        after = _seconds(extensions, "retryAfter", "retry_after")
        message = error.get("message")
        yield GraphQLError(
            message if isinstance(message, str) else "",
            code,
            _path(error.get("path")),
            status,
            wait if after is None and status == 429 else after,
        )


def _code(error: Mapping[str, object], extensions: Mapping[str, object]) -> str:
    """Return the code of an error, from where servers write it; prefer one with a known status."""
    names = ("code", "errorType", "classification")
    words = [extensions.get(name) for name in names] + [error.get("type")]
    codes = [
        word.upper().replace("-", "_")[:MAX_CODE_CHARACTERS]
        for word in words
        if isinstance(word, str) and word.isascii() and word.replace("-", "_").isidentifier()
    ]
    if not codes and error.get("message") in {
        "PersistedQueryNotFound",
        "PersistedQueryNotSupported",
    }:
        codes = ["PERSISTED_QUERY_NOT_FOUND"]
    return next((code for code in codes if code in STATUSES), codes[0] if codes else "")


def _http_status(extensions: Mapping[str, object]) -> int | None:
    http = _mapping(extensions.get("http"))
    for value in (http.get("status"), extensions.get("status"), extensions.get("statusCode")):
        if type(value) is int and 400 <= value <= 599:
            return value
    return None


def _seconds(extensions: Mapping[str, object], *names: str) -> float | None:
    for name in names:
        value = extensions.get(name)
        if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
            return float(value)
    return None


def _throttled_seconds(extensions: object) -> float | None:
    """Return how long a query has to wait for a service that limits the cost of queries."""
    cost = _mapping(_mapping(extensions).get("cost"))
    throttle = _mapping(cost.get("throttleStatus"))
    needed = _seconds(cost, "requestedQueryCost")
    available, rate = _seconds(throttle, "currentlyAvailable"), _seconds(throttle, "restoreRate")
    if needed is None or available is None or not rate:
        return None
    return max(needed - available, 0.0) / rate


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _path(path: object) -> str:
    """Return the path of a field as `products[3].price`."""
    if not isinstance(path, list):
        return ""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")[:MAX_PATH_CHARACTERS]
