"""The bytes of a request, checked so that no value can split it or speak for another."""

import re
from typing import Final

from bff_core.call import Call
from bff_core.errors import ConfigurationError
from bff_core.policy.connection import Connection
from bff_core.upstream.transport.fields import HOP_BY_HOP
from bff_core.upstream.transport.interface import Endpoint

RESERVED: Final = HOP_BY_HOP | {
    b"accept-encoding",
    b"content-length",
    b"expect",
    b"host",
    b"request-timeout",
    b"traceparent",
}
"""Fields that follow from the call, the endpoint or the options, and that no caller may set."""

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"/[!\"$-~]*")
_VALUE: Final = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_HOST: Final = re.compile(r"[0-9A-Za-z_.:-]+")
_TRACEPARENT: Final = re.compile(r"[0-9a-f-]+")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_MEMORY: Final = 512


class UnsafeRequest(ConfigurationError):
    """The request could be read as another one, or two; nothing of it was sent."""


class Renderer:
    """Renders calls to one endpoint. What is the same in every request is rendered once.

    Methods and field names are checked once each and remembered, up to a bound.
    """

    __slots__ = ("_base", "_known_methods", "_known_names", "_static")

    def __init__(self, endpoint: Endpoint, options: Connection) -> None:
        _check_endpoint(endpoint)
        codings = ", ".join(options.accept_encoding)
        accepted = f"accept-encoding: {codings}\r\n" if codings else ""
        self._base = endpoint.base_path
        self._static = f" HTTP/1.1\r\nhost: {endpoint.authority}\r\n{accepted}request-timeout: "
        self._known_methods: set[str] = set()
        self._known_names: set[bytes] = set()

    def render(self, call: Call, left: float) -> bytes:
        """Return head and body, with `left` seconds to answer; raise `UnsafeRequest`."""
        method, target, body = call.method, call.target, call.body
        self.check(call)
        parts = [f"{method} {self._base}{target}{self._static}{left:.3f}\r\n".encode("ascii")]
        for name, value in call.headers:
            parts += (name, b": ", value, b"\r\n")
        if call.traceparent:
            parts.append(f"traceparent: {call.traceparent}\r\n".encode("ascii"))
        if body or method in _WITH_BODY:
            parts.append(b"content-length: %d\r\n" % len(body))
        parts += (b"\r\n", body)
        return b"".join(parts)

    def check(self, call: Call) -> None:
        """Raise `UnsafeRequest` where a part of the call has no place in a request."""
        if call.method not in self._known_methods:
            self._learn_method(call.method)
        if _TARGET.fullmatch(call.target) is None:
            raise UnsafeRequest(f"{call.operation}: the target is not an encoded path")
        if call.traceparent and _TRACEPARENT.fullmatch(call.traceparent) is None:
            raise UnsafeRequest(f"{call.operation}: malformed traceparent")
        for name, value in call.headers:
            if name not in self._known_names:
                self._learn_name(name, call)
            if _VALUE.fullmatch(value) is None:
                raise UnsafeRequest(f"{call.operation}: malformed value of header {name!r}")

    def _learn_method(self, method: str) -> None:
        # CONNECT would turn the connection into a tunnel
        if _TOKEN.fullmatch(method.encode()) is None or method.upper() == "CONNECT":
            raise UnsafeRequest(f"{method!r} is no method that can be sent")
        if len(self._known_methods) < _MEMORY:
            self._known_methods.add(method)

    def _learn_name(self, name: bytes, call: Call) -> None:
        if _TOKEN.fullmatch(name) is None:
            raise UnsafeRequest(f"{call.operation}: {name!r} is no name of a header")
        if name.lower() in RESERVED:
            raise UnsafeRequest(f"{call.operation}: header {name!r} is set by the transport")
        if len(self._known_names) < _MEMORY:
            self._known_names.add(name)


def _check_endpoint(endpoint: Endpoint) -> None:
    if _HOST.fullmatch(endpoint.host) is None:
        raise ConfigurationError(f"{endpoint.host!r} is no host name or address")
    base = endpoint.base_path
    if base and (_TARGET.fullmatch(base) is None or base.endswith("/") or "?" in base):
        raise ConfigurationError(f"base path {base!r} must look like '/v1'")
