"""Problem details (RFC 9457): the format of all errors of all services."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"

SCHEMA = {
    "description": "Problem details (RFC 9457)",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string", "format": "uri"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
                "additionalProperties": True,
            }
        }
    },
}
"""The OpenAPI schema of a problem."""


class Problem(Exception):
    """An error response; `extras` are added to its body."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        /,
        *,
        retry_after: int | None = None,
        **extras: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after
        self.body: dict[str, Any] = {
            "type": f"https://problems.shop.example/{code}",
            "title": HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error",
            "status": status,
            "detail": detail,
            "code": code,
            **extras,
        }

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the problem as a response that no cache stores."""
        fields = {"cache-control": "no-store", **(headers or {})}
        if self.retry_after is not None:
            fields["retry-after"] = str(self.retry_after)
        body = msgspec.json.encode(self.body)
        return Response(body, self.status, headers=fields, media_type=MEDIA_TYPE)


def not_found(what: str, identity: str) -> Problem:
    """Return the problem of an unknown path."""
    return Problem(404, "not_found", f"There is no {what} {identity!r}.")


def invalid(loc: str, message: str, code: str = "invalid_request") -> Problem:
    """Return the problem of one invalid value."""
    errors = [{"loc": loc, "message": message}]
    return Problem(422, code, f"{loc}: {message}", errors=errors)


def install(app: FastAPI) -> None:
    """Make an app answer all errors, the framework's own included, with problems."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)  # noqa: S101 - Starlette dispatches by type; this is for mypy
    return exc.response()


async def _http(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - Starlette dispatches by type; this is for mypy
    code = HTTPStatus(exc.status_code).name.lower()
    return Problem(exc.status_code, code, exc.detail).response(exc.headers)


async def _validation(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - as above
    errors = [
        {"loc": ".".join(map(str, error["loc"])), "message": error["msg"]} for error in exc.errors()
    ]
    detail = "; ".join(f"{error['loc']}: {error['message']}" for error in errors)
    return Problem(422, "invalid_request", detail, errors=errors).response()


async def _unexpected(_request: Request, _exc: Exception) -> Response:
    return Problem(500, "internal", "The service failed; its log knows why.").response()
