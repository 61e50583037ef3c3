"""Request bodies: JSON, forms, files and streams, each with its media type."""

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
"""Placeholder for no body; None would be the JSON value null."""

OCTETS: Final = "application/octet-stream"
FORM: Final = "application/x-www-form-urlencoded"

Content = bytes | StreamedBody | Chunks
"""A raw body: bytes, a `StreamedBody`, or the chunks of one."""

Form = Mapping[str, object]
"""The fields of a form by name; values are as in a `Query`."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a multipart form: its name, its content and its media type."""

    name: str
    content: Content
    type: str = OCTETS


Files = Mapping[str, FilePart | list[FilePart] | tuple[FilePart, ...]]
"""Files by the name of their field; the files of a list have the same name."""

_NOT_FINITE: Final = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How MessagePack encodes NaN and infinities (IEEE 754: all bits of the exponent are set)."""

_is_media_type: Final = re.compile(r"[!#-'*+.0-9A-Z^_`a-z|~-]+/[ -~]+").fullmatch


def body_of(
    form: Form | None, files: Files | None, content: Content | None, headers: Mapping[str, object]
) -> tuple[str, bytes | StreamedBody]:
    """Return the media type and the body of a call that does not send JSON."""
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
    """Return raw content as the body of a `Call`."""
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
    """Return a value as JSON; pydantic models are encoded by their aliases.

    Raises `InvalidInput` with the place of a text that UTF-8 can't encode, or of a NaN or infinity,
    which msgspec would encode as null.
    """
    try:
        body = msgspec.json.encode(value, enc_hook=_builtin)
    except UnicodeEncodeError as error:
        where = _place(value, _has_half_surrogate)
        raise InvalidInput(f"the body holds half of a surrogate pair{where}") from error
    if b"null" in body and _may_hold_not_finite(value):
        where = _place(value, _is_not_finite)
        if where:
            raise InvalidInput(f"the body holds a number that is not finite{where}")
    return body


def form_of(form: Form) -> bytes:
    """Return a form in URL encoding, as browsers send it; lists repeat the name."""
    return encode_pairs(form, "form field").encode("ascii")


def multipart_of(form: Form, files: Files) -> tuple[str, bytes | StreamedBody]:
    """Return the media type and the body of a form with files (RFC 7578).

    If a file is streamed, so is the body. It has a length if all its files have one, and can be
    sent again if all its files can.
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
        raise InvalidInput(f"the type of file {name!r} is not a media type")
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


def _may_hold_not_finite(value: object) -> bool:
    try:
        return _NOT_FINITE.search(msgspec.msgpack.encode(value, enc_hook=_builtin)) is not None
    except (OverflowError, ValueError, TypeError):  # MessagePack can't encode it, JSON can
        return True


def _has_half_surrogate(value: object) -> bool:
    try:
        return isinstance(value, str) and not value.encode()
    except UnicodeEncodeError:
        return True


def _is_not_finite(value: object) -> bool:
    return isinstance(value, float) and not isfinite(value)


def _place(value: object, is_wrong: Callable[[object], bool]) -> str:
    """Return where the first wrong value is, as " at /lines/0/note", or nothing."""
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_builtin)
    except (TypeError, ValueError):
        return ""
    return next((f" at {path or '/'}" for path in _places(plain, "", is_wrong)), "")


def _places(value: object, path: str, is_wrong: Callable[[object], bool]) -> Iterator[str]:
    """Yield the JSON pointers (RFC 6901) of wrong values; for a wrong name that of its object."""
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
