"""Decodes JSON that other programs wrote: any bytes are possible."""

from types import UnionType
from typing import Any, TypeVar, overload

import msgspec

T = TypeVar("T")


class NotDecoded(ValueError):
    """Bytes that are no JSON, or JSON of another form; the message says why."""


@overload
def decode_foreign(body: bytes | str, kind: UnionType = ...) -> Any: ...
@overload
def decode_foreign(body: bytes | str, kind: type[T]) -> T: ...
def decode_foreign(body: bytes | str, kind: Any = Any) -> Any:
    """Return the value of JSON from a service or a client; raises `NotDecoded`.

    msgspec raises three kinds of errors: also for text that is no UTF-8, and for deep nesting.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotDecoded(str(error)) from None
