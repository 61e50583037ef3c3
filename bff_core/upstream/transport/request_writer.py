"""How a call becomes the bytes of a request, safe against request splitting."""

import re
from typing import Final

from bff_core.call import Call, Headers
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.connection import Connection
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.transport.hop_by_hop import HOP_BY_HOP
from bff_core.upstream.transport.interface import Endpoint

RESERVED: Final = HOP_BY_HOP | {
    b"content-length",
    b"expect",
    b"host",
    b"request-timeout",
    b"traceparent",
    b"tracestate",
}
"""Fields that the transport sets by call, endpoint and options; a call must not set them."""

_is_token: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_target: Final = re.compile(r"/[!\"$-~]*").fullmatch
_is_value: Final = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?").fullmatch
_is_tracestate: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch
_is_host: Final = re.compile(r"[0-9A-Za-z_.:-]+").fullmatch
_is_authority: Final = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_.-]+)(?::[0-9]{1,5})?"
).fullmatch
_is_traceparent: Final = re.compile(r"[0-9a-f-]+").fullmatch
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_CACHEABLE: Final = frozenset({b"accept", b"accept-language", b"content-type"})
_MAX_CACHED: Final = 512  # of methods, of names and of lines
_MAX_CACHED_LINE_BYTES: Final = 128


class UnsafeRequest(ConfigurationError):
    """The service could read the call as another request, or as two; nothing of it was sent."""


def _checked_state(call: Call) -> str:
    if _is_tracestate(call.tracestate) is None:
        raise UnsafeRequest(f"{call.operation}: malformed tracestate")
    return call.tracestate


class RequestWriter:
    """Renders calls to one endpoint; text that is the same in every request is rendered once.

    Checked methods, field names and the lines of fields without a viewer's data are cached, up to a
    bound.
    """

    __slots__ = ("_base", "_default_lines", "_defaults", "_lines", "_names", "_starts", "_static")

    def __init__(self, endpoint: Endpoint, options: Connection, agent: str = "") -> None:
        _check_endpoint(endpoint)
        defaults = default_fields(options, agent)
        self._default_lines = {field[0]: b"%b: %b\r\n" % field for field in defaults}
        self._defaults = b"".join(self._default_lines.values())
        self._base = endpoint.base_path
        self._static = f" HTTP/1.1\r\nhost: {endpoint.authority}\r\nrequest-timeout: "
        self._starts: dict[str, str] = {}  # by method
        self._names: set[bytes] = set()
        self._lines: dict[tuple[bytes, bytes], bytes] = {}

    def render(self, call: Call, left: float) -> bytes:
        """Return head and body, with `left` seconds to answer; raise `UnsafeRequest`.

        A streamed body is not included.
        """
        head, body = self._head(call, left), call.body
        return head + body if body and isinstance(body, bytes) else head

    def check(self, call: Call) -> None:
        """Raise `UnsafeRequest` for a call that can't be sent."""
        self._head(call, 0.0)

    def _head(self, call: Call, left: float) -> bytes:
        method, target, traceparent = call.method, call.target, call.traceparent
        start = self._starts.get(method) or self._start(method)
        if _is_target(target) is None:
            raise UnsafeRequest(f"{call.operation}: the target is not an encoded path")
        static = self._static if not call.host else _static(call)
        first = f"{start}{target}{static}{call.head_timeout or left:.3f}\r\n"
        if traceparent:
            if _is_traceparent(traceparent) is None:
                raise UnsafeRequest(f"{call.operation}: malformed traceparent")
            first = f"{first}traceparent: {traceparent}\r\n"
            if call.tracestate:
                first = f"{first}tracestate: {_checked_state(call)}\r\n"
        head = first.encode("ascii")
        defaults = self._defaults
        for field in call.headers:
            line = self._lines.get(field)
            if line is None:
                line = self._line(field, call)
                replaced = self._default_lines.get(field[0])
                if replaced is not None:
                    defaults = defaults.replace(replaced, b"")
            head += line
        head += defaults
        body = call.body
        if not isinstance(body, bytes):
            head += _framing(body)
        elif body or method in _WITH_BODY:
            head += b"content-length: %d\r\n" % len(body)
        return head + b"\r\n"

    def _start(self, method: str) -> str:
        """Check a method and return the start of its request lines."""
        # CONNECT would turn the connection into a tunnel
        if _is_token(method.encode()) is None or method.upper() == "CONNECT":
            raise UnsafeRequest(f"{method!r} is not a method that can be sent")
        start = f"{method} {self._base}"
        if len(self._starts) < _MAX_CACHED:
            self._starts[method] = start
        return start

    def _line(self, field: tuple[bytes, bytes], call: Call) -> bytes:
        """Check a field and return its line; lines that may hold a viewer's data are not cached."""
        name, value = field
        if name not in self._names:
            self._check_name(name, call)
        if _is_value(value) is None:
            raise UnsafeRequest(f"{call.operation}: malformed value of header {name!r}")
        line = b"%b: %b\r\n" % field
        has_room = len(self._lines) < _MAX_CACHED and len(line) <= _MAX_CACHED_LINE_BYTES
        if has_room and name in _CACHEABLE:
            self._lines[field] = line
        return line

    def _check_name(self, name: bytes, call: Call) -> None:
        if _is_token(name) is None:
            raise UnsafeRequest(f"{call.operation}: {name!r} is not a header name")
        if name.lower() in RESERVED:
            raise UnsafeRequest(
                f"{call.operation}: header {name!r} follows from the call and its service: it "
                "can't be set"
            )
        if len(self._names) < _MAX_CACHED:
            self._names.add(name)


def _static(call: Call) -> str:
    """Return the part of the head with a Host of the call's own."""
    if _is_authority(call.host) is None:
        raise UnsafeRequest(f"{call.operation}: {call.host!r} is not a Host")
    return f" HTTP/1.1\r\nhost: {call.host}\r\nrequest-timeout: "


def default_fields(options: Connection, agent: str) -> Headers:
    """Return the fields that are sent unless the call has one of the same name.

    Without Accept-Encoding a service may choose any coding (RFC 9110, section 12.5.3).
    """
    codings = ", ".join(options.accept_encoding) or "identity"
    agents = ((b"user-agent", agent.encode("ascii")),) if agent else ()
    return (*agents, (b"accept-encoding", codings.encode("ascii")))


def _framing(body: StreamedBody) -> bytes:
    if body.length is None:
        return b"transfer-encoding: chunked\r\n"
    return b"content-length: %d\r\n" % body.length


def _check_endpoint(endpoint: Endpoint) -> None:
    if _is_host(endpoint.host) is None:
        raise ConfigurationError(f"{endpoint.host!r} is not a host name or address")
    base = endpoint.base_path
    if base and (_is_target(base) is None or base.endswith("/") or "?" in base):
        raise ConfigurationError(f"base path {base!r} must look like '/v1'")
