"""The errors of the client: each is a `GatewayError`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

BOM: Final = b"\xef\xbb\xbf"
"""What some proxies write at the beginning of a text."""


UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a body that is no JSON of its type, or too deep."""


class GatewayError(Exception):
    """A call of the gateway failed; each error of this client is one.

    `status` is that of the response, `request_id` the id under which the gateway logged the
    request: 0 and empty if the client does not know them.
    """

    status: int = 0
    request_id: str = ""


class GatewayUnreachable(GatewayError):
    """There was no connection to the gateway, or it broke before the answer."""


class GatewayTimeout(GatewayError):
    """The answer was not there within the timeout of the call."""


class UnexpectedReply(GatewayError):
    """The gateway sent a reply that its contract does not have, such as a body of another type.

    `body` is what it sent; empty for a stream.
    """

    body: bytes = b""


class StreamBroken(GatewayError):
    """A stream ended before its end: what came before is not complete."""


def broken(message: str, status: int, headers: Mapping[str, str]) -> StreamBroken:
    """Return the error of a stream whose response has begun."""
    error = StreamBroken(message)
    error.status, error.request_id = status, headers.get("x-request-id", "")
    return error


@dataclass(frozen=True, slots=True)
class InputFault:
    """A fault of one input of the request.

    `place` is body, query, path, header or cookie; `pointer` a JSON pointer (RFC 6901) into it.
    """

    place: str
    pointer: str
    detail: str
    type: str


class GatewayProblem(GatewayError):
    """The gateway refused the request, or failed: its problem details (RFC 9457).

    Compare `code`, which is stable: `not_found`, `invalid_input`, `too_many_requests`. A reply
    without problem details, such as one of a proxy, has the code `http_502` of its status.
    `retry_after` is in seconds. `part` is the critical part that failed. `members` are all members
    of the problem, its own included.
    """

    def __init__(
        self,
        members: Mapping[str, Any],
        *,
        status: int,
        headers: Mapping[str, str],
        retry_after: float | None = None,
    ) -> None:
        self.members = members
        self.status = status
        self.headers = headers
        self.code = _text(members, "code") or f"http_{status}"
        self.title = _text(members, "title") or f"HTTP status {status}"
        self.detail = _text(members, "detail")
        self.part = _text(members, "part")
        self.request_id = _text(members, "request_id") or headers.get("x-request-id", "")
        self.errors = tuple(_faults(members.get("errors")))
        self.retry_after = retry_after if retry_after is not None else _seconds(members)
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [f"{self.status} {self.code}: {self.detail or self.title}"]
        lines += [f"{one.place}{one.pointer}: {one.detail}" for one in self.errors]
        if self.request_id:
            lines.append(f"request id: {self.request_id}")
        return "\n".join(lines)


def problem_of(
    status: int, headers: Mapping[str, str], body: bytes, retry_after: float | None
) -> GatewayProblem:
    """Return the problem of a response that is no success."""
    members: object = {}
    if is_json(headers):
        try:
            members = msgspec.json.decode(body.removeprefix(BOM))
        except UNREADABLE:
            members = {}
    known = members if isinstance(members, dict) else {}
    return GatewayProblem(known, status=status, headers=headers, retry_after=retry_after)


def problem_of_line(members: object, headers: Mapping[str, str]) -> GatewayProblem:
    """Return the problem that is the last line of a stream."""
    known = members if isinstance(members, dict) else {}
    status = known.get("status")
    return GatewayProblem(known, status=status if isinstance(status, int) else 500, headers=headers)


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether a body is JSON, by its media type."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _seconds(members: Mapping[str, Any]) -> float | None:
    value = members.get("retry_after")
    return float(value) if isinstance(value, int | float) else None


def _faults(errors: object) -> list[InputFault]:
    listed = errors if isinstance(errors, list) else []
    return [
        InputFault(
            _text(one, "in"), _text(one, "pointer"), _text(one, "detail"), _text(one, "type")
        )
        for one in listed
        if isinstance(one, dict)
    ]
