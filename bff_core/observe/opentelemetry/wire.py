"""Writes the protobuf messages of OTLP traces; their attributes are encoded once.

The SDK's encoder takes 26 µs for a span, this one about 4 µs (`python -m bench.tracing`).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Final

Value = str | bool | int | float

INTERNAL, SERVER, CLIENT = b"\x30\x01", b"\x30\x02", b"\x30\x03"
"""The field of a span's kind."""

_times: Final = Struct("<BQBQ").pack
_time: Final = Struct("<BQ").pack
_double: Final = Struct("<Bd").pack
_FLAGS: Final = b"\x85\x01\x01\x01\x00\x00"
_REMOTE_FLAGS: Final = b"\x85\x01\x01\x03\x00\x00"
"""Sampled, and whether the parent is known to be remote (the field is a fixed32)."""


def varint(number: int) -> bytes:
    """Return a number from 0 up in base 128."""
    if number < 0x80:
        return bytes((number,))
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def sized(content: bytes) -> bytes:
    """Return a text or message after its length."""
    return varint(len(content)) + content


@lru_cache(maxsize=4096, typed=True)
def attribute(name: str, value: Value) -> bytes:
    """Return a `KeyValue` after its length."""
    if isinstance(value, bool):
        encoded = b"\x10\x01" if value else b"\x10\x00"
    elif isinstance(value, int):
        encoded = b"\x18" + varint(value)
    elif isinstance(value, float):
        encoded = _double(0x21, value)
    else:
        encoded = b"\x0a" + sized(value.encode("utf-8", "replace"))
    return sized(b"\x0a" + sized(name.encode()) + b"\x12" + sized(encoded))


def attributes(values: Mapping[str, Value], tag: bytes = b"\x4a") -> bytes:
    """Return attributes as fields with a tag, by default that of a span's."""
    return b"".join([tag + attribute(name, value) for name, value in values.items()])


def span(
    trace_id: bytes,
    span_id: bytes,
    parent_id: bytes,
    *,
    name: str,
    kind: bytes,
    start: int,
    end: int,
    fields: bytes,
    state: str = "",
    error: str | None = None,
    is_remote: bool = False,
) -> bytes:
    """Return a `Span`, times in nanoseconds. `fields` are its attributes, events and links.

    With an `error`, which may be empty, its status is that.
    """
    status = b""
    if error is not None:
        text = b"\x12" + sized(error.encode("utf-8", "replace")) if error else b""
        status = b"\x7a" + sized(text + b"\x18\x02")
    return b"".join(
        (
            *(b"\x0a\x10", trace_id, b"\x12\x08", span_id),
            b"\x1a" + sized(state.encode()) if state else b"",
            b"\x22\x08" + parent_id if parent_id else b"",
            *(b"\x2a", _text(name), kind, _times(0x39, start, 0x41, end), fields, status),
            _REMOTE_FLAGS if is_remote else _FLAGS,
        )
    )


@lru_cache(maxsize=1024)
def _text(text: str) -> bytes:
    return sized(text.encode("utf-8", "replace"))


def event(name: str, time: int, values: Mapping[str, Value]) -> bytes:
    """Return an event as a field of a span."""
    content = _time(0x09, time) + b"\x12" + _text(name) + attributes(values, b"\x1a")
    return b"\x5a" + sized(content)


def link(trace_id: bytes, span_id: bytes, values: Mapping[str, Value]) -> bytes:
    """Return a link as a field of a span."""
    content = b"\x0a\x10" + trace_id + b"\x12\x08" + span_id + attributes(values, b"\x22")
    return b"\x6a" + sized(content)


class Envelope:
    """What stands around spans: the resource, and the scope of the instrumentation."""

    def __init__(self, resource: Mapping[str, Value], version: str, schema: str) -> None:
        self._resource = b"\x0a" + sized(attributes(resource, b"\x0a"))
        scope = b"\x0a" + sized(b"bff_core") + b"\x12" + sized(version.encode())
        self._scope = b"\x0a" + sized(scope)
        self._schema = b"\x1a" + sized(schema.encode())

    def around(self, spans: Iterable[bytes]) -> bytes:
        """Return an `ExportTraceServiceRequest`."""
        listed = b"".join([b"\x12" + sized(one) for one in spans])
        scope_spans = b"\x12" + sized(self._scope + listed + self._schema)
        return b"\x0a" + sized(self._resource + scope_spans)
