"""Problem details (RFC 9457): renders errors, without internals."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import responses
from math import ceil

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from bff_core.call import Headers
from bff_core.edge.strict_json import place_of
from bff_core.errors import BFFError, InvalidInput, NotAuthenticated, PartFailed
from bff_core.http_statuses import WITHOUT_CONTENT

Members = dict[str, object]

MEDIA_TYPE = b"application/problem+json"
MAX_ERRORS = 50
"""How many faults of one body are listed."""

# The phrases of RFC 9110: those of Python differ between its versions.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}

_TITLES = {
    "HTTP Version Not Supported": "HTTP version not supported",
    "URI Too Long": "URI too long",
}
"""Titles that sentence case needs help with; each code has one title."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A rendered error: status, headers and JSON body."""

    status: int
    headers: Headers
    body: bytes


def problem(error: BaseException, *, request_id: str = "", trace_id: str = "") -> Problem:
    """Return the problem details of `error`; an unexpected error is a 500 without its text.

    Members: `type`, `title`, `status`, `code` (stable, for programs), `detail` if there is an
    explanation, `request_id`, `trace_id`, and `errors` for invalid input. `type` is
    "/problems/<code>", an identifier that need not resolve.
    """
    error = unwrap(error)
    members, headers = _describe(error)
    status = members["status"]
    assert isinstance(status, int)  # noqa: S101 - each branch of _describe sets it
    if status in WITHOUT_CONTENT:
        empty: Headers = ((b"content-length", b"0"),) if status == 205 else ()
        return Problem(status, (*headers, *empty), b"")
    if request_id:
        members["request_id"] = request_id
    if trace_id:
        members["trace_id"] = trace_id
    # The standard library's encoder escapes all but ASCII, and so accepts lone surrogates.
    body = json.dumps(members, default=str).encode()
    length = b"%d" % len(body)
    given = {name for name, _ in headers}
    mandatory = (
        (b"content-type", MEDIA_TYPE),
        (b"content-length", length),
        (b"cache-control", b"no-store"),
    )
    return Problem(status, (*(f for f in mandatory if f[0] not in given), *headers), body)


def members_of(error: BaseException) -> Members:
    """Return the members of problem details, for faces with another form of errors.

    They include `retry_after` in whole seconds, in place of the header.
    """
    error = unwrap(error)
    members, _ = _describe(error)
    if isinstance(error, BFFError) and error.retry_after is not None:
        members["retry_after"] = _whole(error.retry_after)
    return members


def unwrap(error: BaseException) -> BaseException:
    """Return the error to report: the only one of a group, or a 4xx that failed a part."""
    while True:
        match error:
            case BaseExceptionGroup(exceptions=[only]):
                error = only
            case PartFailed(cause=BFFError(status=status) as cause) if status < 500:
                error = cause
            case _:
                return error


def is_expected(error: BaseException) -> bool:
    """Whether an error is an expected one; any other is a bug, and is logged as a crash."""
    match unwrap(error):
        case BFFError(status=500):
            return False
        case BFFError() | HTTPException() | RequestValidationError():
            return True
    return False


def _describe(error: BaseException) -> tuple[Members, Headers]:
    match error:
        case RequestValidationError():
            return _invalid_input(error.errors(), error.body), ()
        case NotAuthenticated(challenge=challenge) if challenge:
            return _ours(error), ((b"www-authenticate", challenge.encode("latin-1")),)
        case BFFError():
            return _ours(error), _retry_after(error.retry_after)
        case HTTPException():
            return _http(error), _clean(error.headers or {})
    return _titled(500, BFFError.code, BFFError.title), ()


def _titled(status: int, code: str, title: str) -> Members:
    return {"type": f"/problems/{code}", "title": title, "status": status, "code": code}


def _ours(error: BFFError) -> Members:
    members = _titled(error.status, error.code, error.title)
    if error.detail:
        members["detail"] = error.detail
    if isinstance(error, PartFailed):
        members["part"] = error.part
    if isinstance(error, InvalidInput):
        members["errors"] = [place(error.where, error.pointer, str(error), "invalid")]
    members |= error.members
    return members


def _http(error: HTTPException) -> Members:
    phrase = _PHRASES.get(error.status_code) or _python_phrase(error.status_code)
    title = _TITLES.get(phrase) or phrase.capitalize()
    members = _titled(error.status_code, _as_code(phrase), title)
    detail: object = error.detail  # FastAPI lets it be any value
    if isinstance(detail, str):
        if detail not in {"", phrase, _python_phrase(error.status_code)}:
            members["detail"] = detail
    elif detail is not None:
        members["context"] = detail
    return members


def _invalid_input(errors: Sequence[Mapping[str, object]], body: object) -> Members:
    members = _titled(InvalidInput.status, InvalidInput.code, InvalidInput.title)
    faults: list[Members] = []
    for error in errors[:MAX_ERRORS]:
        fault = _fault(error, body)
        if fault not in faults:  # two compositions of a view may have the same input
            faults.append(fault)
    members["errors"] = faults
    return members


def _fault(error: Mapping[str, object], body: object) -> Members:
    """Return one fault, without the value, which may be a secret."""
    location, kind = error.get("loc", ()), str(error.get("type", ""))
    known = location if isinstance(location, list | tuple) and location else ("",)
    where, *path = known
    if kind == "json_invalid":
        context = error.get("ctx")
        cause = context.get("error") if isinstance(context, Mapping) else error.get("msg")
        return malformed(str(where), str(cause), path[0] if path else 0, body)
    return place(str(where), pointer_to(path), error.get("msg", ""), kind)


def pointer_to(path: Iterable[object]) -> str:
    """Return the JSON pointer (RFC 6901) of a path of names and positions."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)


def malformed(where: str, cause: str, position: object, text: object) -> Members:
    """Return the fault of a text that is not JSON, with its line and column."""
    fault = place(where, "", f"The JSON is malformed: {cause}", "json_invalid")
    if isinstance(text, str) and isinstance(position, int):
        line, column = place_of(position, text)
        fault["detail"] = f"{fault['detail']}: line {line}, column {column}"
        fault |= {"line": line, "column": column}
    return fault


def place(where: str, pointer: str, detail: object, kind: str) -> Members:
    """Return a fault of an input: the part of the request, and a JSON pointer into it."""
    return {"in": where, "pointer": pointer, "detail": detail, "type": kind}


def _retry_after(seconds: float | None) -> Headers:
    if seconds is None:
        return ()
    return ((b"retry-after", b"%d" % _whole(seconds)),)


def _whole(seconds: float) -> int:
    return max(1, ceil(seconds))


def _clean(headers: Mapping[str, str]) -> Headers:
    return tuple((k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items())


def _python_phrase(status: int) -> str:
    """Return the text that Starlette fills in where no detail is given."""
    return responses.get(status, f"Status {status}")


def _as_code(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
