"""Reads and writes the JSON of the console's API, and its errors."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff_core.console.foreign_json import NotDecoded, decode_foreign

T = TypeVar("T")

MAX_BODY_BYTES: Final = 1 << 20
"""The largest body that the console reads."""

MAX_CHARACTERS: Final = 1024
"""The longest name, filter or id."""

HEADERS: Final = {"cache-control": "no-store"}


class ConsoleProblem(Exception):
    """An error with a status; `detail` says what to do."""

    def __init__(
        self, status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail
        self.headers = headers or {}


def answer(content: object, status: int = 200) -> Response:
    """Return a Struct, or a list of Structs, as JSON."""
    body = msgspec.json.encode(content)
    return Response(body, status, headers=HEADERS, media_type="application/json")


def problem_answer(problem: ConsoleProblem) -> Response:
    """Return an error as problem details (RFC 9457)."""
    members = {"title": problem.title, "status": problem.status, "detail": problem.detail}
    return Response(
        msgspec.json.encode(members),
        problem.status,
        headers={**HEADERS, **problem.headers},
        media_type="application/problem+json",
    )


def check_parameters(request: Request) -> None:
    """Raise a `ConsoleProblem` (422) for a parameter that is too long, or was given twice."""
    named = (*request.path_params.items(), *request.query_params.multi_items())
    for name, value in named:
        if len(value) > MAX_CHARACTERS:
            raise ConsoleProblem(
                422, f"{name[:40]} is too long", f"Give at most {MAX_CHARACTERS:,} characters."
            )
    for name in dict.fromkeys(name for name, _ in request.query_params.multi_items()):
        if len(request.query_params.getlist(name)) > 1:
            raise ConsoleProblem(422, f"{name[:40]} was given twice", "Give it once.")


async def read_json(request: Request, kind: type[T]) -> T:
    """Return the body of a request; raises `ConsoleProblem` for one that is too long or wrong."""
    try:
        return decode_foreign(await read_bytes(request), kind)
    except NotDecoded as error:
        raise ConsoleProblem(422, "The body is not valid", f"{error}.") from None


async def read_bytes(request: Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """Return the body of a request; raises `ConsoleProblem` if it is longer than `limit`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ConsoleProblem(
                413, "The body is too long", f"Send at most {limit} bytes to the console."
            )
    return bytes(body)
