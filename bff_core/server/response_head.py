"""Renders the head of an answer; checked names and frequent lines are cached."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

STATUS_LINES: Final = {
    status: b"HTTP/1.1 %d %b\r\n"
    % (
        status,
        HTTPStatus(status).phrase.encode() if status in set(map(int, HTTPStatus)) else b"Status",
    )
    for status in range(200, 600)  # after an interim status a client waits for another answer
}

CLOSE: Final = b"connection: close\r\n"
CHUNKED: Final = b"transfer-encoding: chunked\r\n"

# RFC 9110, sections 5.1 and 5.5: a token; no control characters but the tab.
_NAME: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_FRAMING: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})
_ONCE: Final = frozenset({b"date", b"server"})
"""Fields that an answer has once: the application's, or else the server's."""

_NEVER_REUSED: Final = _ONCE | {
    *(b"content-length", b"etag", b"location", b"server-timing", b"set-cookie"),
    *(b"x-request-id", b"traceparent"),
}
"""Fields that are not cached: their values do not repeat, are secret, or replace others."""

_MAX_ENTRIES: Final = 1024
_MAX_LINE_BYTES: Final = 512


class HeadRenderer:
    """The head of one answer without its last line; `length` is the declared length.

    Raises `ValueError` for a field that would break the head or split the answer, and for a status
    that no final answer has.
    """

    __slots__ = ("is_last", "length", "lines")

    def __init__(self, status: int, fields: Iterable[tuple[bytes, bytes]], defaults: bytes) -> None:
        self.length: int | None = None
        self.is_last = False
        status_line = STATUS_LINES.get(status)
        if status_line is None:
            raise ValueError(f"{status!r} is no status of a final answer")
        self.lines = lines = [status_line, defaults]
        for name, value in fields:
            line = _lines.get((name, value))
            lines.append(self._line(name, value) if line is None else line)

    def _line(self, name: bytes, value: bytes) -> bytes:
        known = _names.get(name) or _learn_name(name)
        if not (value.isascii() and value.decode("ascii").isprintable()) and _FORBIDDEN.search(
            value
        ):
            raise ValueError(f"the value of the header field {name!r} can't be sent")
        lowered, prefix = known
        if lowered in _FRAMING:
            return self._frame(lowered, value, prefix)
        line = prefix + value + b"\r\n"
        if lowered in _ONCE:
            return self._replace(prefix, line)
        if lowered not in _NEVER_REUSED and len(line) <= _MAX_LINE_BYTES:
            if len(_lines) >= _MAX_ENTRIES:  # full of ages and lifetimes, which change
                _lines.clear()
            _lines[name, value] = line
        return line

    def _replace(self, prefix: bytes, line: bytes) -> bytes:
        """Replace the server's field; of two from the application, the first counts."""
        defaults, fields = self.lines[1], self.lines[2:]
        others = [one for one in defaults.splitlines(keepends=True) if not one.startswith(prefix)]
        self.lines[1] = b"".join(others)
        return b"" if any(one.startswith(prefix) for one in fields) else line

    def _frame(self, name: bytes, value: bytes, prefix: bytes) -> bytes:
        """Handle a field that frames the answer."""
        if name == b"content-length":
            if self.length is not None or not value.isdigit():
                raise ValueError("the answer has no single Content-Length")
            self.length = int(value)
        elif name == b"transfer-encoding":
            return b""  # `CHUNKED` is written by the renderer
        elif b"close" in {token.strip() for token in value.lower().split(b",")}:
            self.is_last = True
            return b""
        return prefix + value + b"\r\n"


_names: dict[bytes, tuple[bytes, bytes]] = {}
_lines: dict[tuple[bytes, bytes], bytes] = {}


def _learn_name(name: bytes) -> tuple[bytes, bytes]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name of a header field")
    lowered = name.lower()
    known = lowered, lowered + b": "
    if len(_names) < _MAX_ENTRIES:
        _names[name] = known
    return known


def find(fields: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    """Return a field's value, empty if it is absent."""
    return next((value for name, value in fields if name.lower() == wanted), b"")
