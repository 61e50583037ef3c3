"""Bodies of requests: JSON, forms, files and streams, each with its media type."""

import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Final

import msgspec

from bff_core.errors import InvalidInput
from bff_core.parameter_values import UnsupportedValue, check_text, texts_of
from bff_core.streamed_body import Chunks, StreamedBody
from bff_core.upstream.request_target import encode_pairs

NO_BODY: Final = object()
"""Stands for a body that is not sent; None would be the JSON value null."""

OCTETS: Final = "application/octet-stream"
FORM: Final = "application/x-www-form-urlencoded"

Content = bytes | StreamedBody | Chunks
"""A raw body: bytes, a `StreamedBody`, or the chunks of one."""

Form = Mapping[str, object]
"""The fields of a form by name, with the values that a query takes."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a multipart form: its name, its content and its media type."""

    name: str
    content: Content
    type: str = OCTETS


Files = Mapping[str, FilePart | list[FilePart] | tuple[FilePart, ...]]
"""Files by the name of their field; a list of them repeats the name."""

_WIDE: Final = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How MessagePack begins a float that is no number (IEEE 754: all bits of its exponent are set)."""

_is_media_type: Final = re.compile(r"[!#-'*+.0-9A-Z^_`a-z|~-]+/[ -~]+").fullmatch


def body_of(
    form: Form | None, files: Files | None, content: Content | None, headers: Mapping[str, object]
) -> tuple[str, bytes | StreamedBody]:
    """Return the media type and the body of a call that sends no JSON."""
    if content is not None:
        if form is not None or files is not None:
            raise UnsupportedValue("content= is the whole body: pass it without form= or files=")
        return OCTETS, content_of(content)
    if files is None:
        return FORM, form_of(form or {})
    if any(name.lower() == "content-type" for name in headers):
        raise UnsupportedValue("files= sets the Content-Type, which holds the boundary")
    return multipart_of(form or {}, files)


def content_of(content: Content) -> bytes | StreamedBody:
    """Return a body as a call holds it."""
    if isinstance(content, bytes | StreamedBody):
        return content
    if isinstance(content, str | bytearray | memoryview):
        kind = type(content).__name__
        raise UnsupportedValue(f"the content is of type {kind}: pass bytes, or a stream of bytes")
    try:
        return StreamedBody(content)
    except TypeError as error:
        raise UnsupportedValue(str(error)) from None


def json_of(value: object) -> bytes:
    """Return a value as JSON; pydantic models are written by their aliases.

    Raises `InvalidInput` with the place of text that UTF-8 can't encode, and of a float that is no
    number, which would be written as null.
    """
    try:
        body = msgspec.json.encode(value, enc_hook=_builtin)
    except UnicodeEncodeError as error:
        where = _place(value, _is_cut)
        raise InvalidInput(f"the body holds half of a surrogate pair{where}") from error
    if b"null" in body and _may_hold_nan(value):
        where = _place(value, _is_nan)
        if where:
            raise InvalidInput(f"the body holds a number that is not finite{where}")
    return body


def form_of(form: Form) -> bytes:
    """Return the fields of a form as browsers send them; lists repeat the name."""
    return encode_pairs(form, "form field").encode("ascii")


def multipart_of(form: Form, files: Files) -> tuple[str, bytes | StreamedBody]:
    """Return the media type and the body of a form with files (RFC 7578).

    The body is streamed if a file is; it has a length if all of them have, and can be sent again if
    all of them can.
    """
    boundary = secrets.token_hex(16)
    pieces: list[bytes | StreamedBody] = [
        _head(boundary, name) + text.encode()
        for name, value in form.items()
        for text in texts_of(value, f"form field {name!r}")
    ]
    for name, given in files.items():
        for file in given if isinstance(given, list | tuple) else [given]:
            pieces += _file(boundary, name, file)
    pieces.append(b"\r\n--%b--\r\n" % boundary.encode())
    pieces[0] = pieces[0].removeprefix(b"\r\n") if isinstance(pieces[0], bytes) else pieces[0]
    kind = f"multipart/form-data; boundary={boundary}"
    if all(isinstance(piece, bytes) for piece in pieces):
        return kind, b"".join([piece for piece in pieces if isinstance(piece, bytes)])
    return kind, _joined(pieces)


def _file(boundary: str, name: str, file: FilePart) -> list[bytes | StreamedBody]:
    if not isinstance(file, FilePart):
        kind = type(file).__name__
        raise UnsupportedValue(f"file {name!r} is of type {kind}: pass FilePart(name, content)")
    if _is_media_type(file.type) is None:
        raise InvalidInput(f"the type of file {name!r} is no media type")
    return [_head(boundary, name, file), content_of(file.content)]


def _head(boundary: str, name: str, file: FilePart | None = None) -> bytes:
    lines = f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
    if file is not None:
        lines += f'; filename="{_escaped(file.name)}"\r\nContent-Type: {file.type}'
    return f"{lines}\r\n\r\n".encode()


def _escaped(name: str) -> str:
    """Return a name as browsers write it (HTML, "multipart/form-data encoding algorithm")."""
    check_text(name, "the name of a form field or file")
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _joined(pieces: Sequence[bytes | StreamedBody]) -> StreamedBody:
    sizes = [len(one) if isinstance(one, bytes) else one.length for one in pieces]
    known = [size for size in sizes if size is not None]
    length = sum(known) if len(known) == len(sizes) else None
    is_replayable = all(isinstance(one, bytes) or one.is_replayable for one in pieces)
    chunks = partial(_chunks, pieces)
    return StreamedBody(chunks if is_replayable else chunks(), length)


async def _chunks(pieces: Sequence[bytes | StreamedBody]) -> AsyncGenerator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        async with aclosing(piece.open()) as chunks:
            async for chunk in chunks:
                yield chunk


def _builtin(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if not callable(dump):
        raise UnsupportedValue(f"json= holds a value of type {type(value).__name__}: convert it")
    return dump(mode="json", by_alias=True)


def _may_hold_nan(value: object) -> bool:
    try:
        return _WIDE.search(msgspec.msgpack.encode(value, enc_hook=_builtin)) is not None
    except (OverflowError, ValueError, TypeError):  # what JSON alone can hold
        return True


def _is_cut(value: object) -> bool:
    try:
        return isinstance(value, str) and not value.encode()
    except UnicodeEncodeError:
        return True


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and not isfinite(value)


def _place(value: object, is_wrong: Callable[[object], bool]) -> str:
    """Return where the first wrong value is, as " at /lines/0/note", or nothing."""
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_builtin)
    except (TypeError, ValueError):
        return ""
    return next((f" at {path or '/'}" for path in _places(plain, "", is_wrong)), "")


def _places(value: object, path: str, is_wrong: Callable[[object], bool]) -> Iterator[str]:
    """Yield the JSON pointers (RFC 6901) of what is wrong; a wrong name counts for its object."""
    if isinstance(value, dict):
        for name, one in value.items():
            if is_wrong(name):
                yield path
                return
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _places(one, f"{path}/{step}", is_wrong)
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _places(one, f"{path}/{index}", is_wrong)
    elif is_wrong(value):
        yield path
