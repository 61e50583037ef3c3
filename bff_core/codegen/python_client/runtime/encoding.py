"""Writes paths, queries, headers and bodies of requests."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

import msgspec

from bff_core.codegen.python_client.runtime.errors import BOM

T = TypeVar("T")
Readers = Mapping[int, Callable[[bytes], T]]
"""How the body of a success is read, by status; 0 stands for all others."""

Pairs = list[tuple[str, str]]

SEPARATORS: Final = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a form: its bytes or an open binary file, its name and its media type."""

    content: bytes | BinaryIO
    name: str = "file"
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRequest:
    """A call of an operation, ready to be sent.

    `path` is encoded. `takes_key` if the operation takes an idempotency key. A form is sent as
    `multipart/form-data` if `is_multipart`, otherwise URL-encoded.
    """

    method: str
    path: str
    query: Pairs = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = ""
    form: Mapping[str, Any] | None = None
    is_multipart: bool = False
    accept: str = "application/json"
    takes_key: bool = False

    @property
    def is_read(self) -> bool:
        """Whether the method is one that changes nothing."""
        return self.method in {"GET", "HEAD", "OPTIONS"}


def text_of(value: Any) -> str:
    """Return a value as it is written in a URL, a header or a form."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def path_segment(value: Any) -> str:
    """Return a value as one segment of a path; raise `ValueError` if it can't be one."""
    text = text_of(value)
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} can't be a part of a path")
    return quote(text, safe="")


def path_segments(value: Any) -> str:
    """Return a value that may contain slashes as segments of a path."""
    text = text_of(value)
    if not text or any(part in {".", ".."} for part in text.split("/")):
        raise ValueError(f"{text!r} has a segment that can't be a part of a path")
    return quote(text, safe="/")


def joined(values: Sequence[Any], separator: str = ",") -> str:
    """Return values as one text."""
    return separator.join(text_of(one) for one in values if one is not None)


def query_pairs(name: str, value: Any, style: str = "form", *, explode: bool = True) -> Pairs:
    """Return a query parameter as it is sent; None is left out (OpenAPI, style values)."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return _object_pairs(name, value, style, explode=explode)
    if isinstance(value, list | tuple | set | frozenset):
        if explode and style == "form":
            return [(name, text_of(one)) for one in value if one is not None]
        return [(name, joined(list(value), SEPARATORS.get(style, ",")))] if value else []
    return [(name, text_of(value))]


def _object_pairs(name: str, value: Mapping[str, Any], style: str, *, explode: bool) -> Pairs:
    given = {key: one for key, one in value.items() if one is not None}
    if style == "deepObject":
        return [(f"{name}[{key}]", text_of(one)) for key, one in given.items()]
    if explode:
        return [(key, text_of(one)) for key, one in given.items()]
    return [(name, joined([part for pair in given.items() for part in pair]))]


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON."""
    return msgspec.json.encode(value)


def json_text(value: Any) -> str:
    """Return a value as JSON, for a parameter that is a document."""
    return json_bytes(value).decode()


def query_json(name: str, value: Any) -> Pairs:
    """Return a query parameter that is a JSON document; None is left out."""
    return [] if value is None else [(name, json_text(value))]


def header_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return headers as they are sent; None is left out."""
    return {
        name: joined(value) if isinstance(value, list) else text_of(value)
        for name, value in values.items()
        if value is not None
    }


def cookie_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return cookies as they are sent; None is left out.

    Raises `ValueError` for a value that would end its cookie and begin another.
    """
    found = header_texts(values)
    for name, text in found.items():
        if ";" in text:
            raise ValueError(f"cookie {name!r} can't be {text!r}")
    return found


def checked_header(name: str, value: str) -> str:
    """Return the value of a header; raise `ValueError` if it can't be sent."""
    if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
        raise ValueError(f"header {name!r} can't be {value!r}")
    return value


def form_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a form, by their names in the contract; None is left out."""
    return {name: value for name, value in values.items() if value is not None}


def form_parts(form: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return the fields and the files of a form."""
    fields: dict[str, Any] = {}
    files: list[tuple[str, Any]] = []
    for name, value in form.items():
        values = value if isinstance(value, list | tuple) else [value]
        uploads = [_upload(one) for one in values]
        if any(uploads):
            files += [(name, one) for one in uploads if one]
        elif isinstance(value, list | tuple):
            fields[name] = [_field_text(one) for one in value]
        else:
            fields[name] = _field_text(value)
    return fields, files


def _upload(value: Any) -> tuple[str, Any, str] | None:
    if isinstance(value, UploadedFile):
        content = value.content
        if not isinstance(content, bytes) and not content.seekable():
            content = content.read()  # a second attempt could not read it again
        return value.name, content, value.media_type
    if isinstance(value, bytes):
        return "file", value, "application/octet-stream"
    return None


def _field_text(value: Any) -> str:
    is_document = isinstance(value, Mapping | msgspec.Struct | list)
    return json_text(value) if is_document else text_of(value)


def boundary_of(key: str) -> str:
    """Return the boundary of a multipart body, the same for each attempt with a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def json_reader(kind: Any) -> Callable[[bytes], Any]:
    """Return a function that decodes JSON of a type; the decoder is made when it is first used."""
    decoder = cache(lambda: msgspec.json.Decoder(kind))
    return lambda body: decoder().decode(body.removeprefix(BOM))


def read_text(body: bytes) -> str:
    """Decode a body that is a text."""
    return body.decode("utf-8", "replace")


def read_bytes(body: bytes) -> bytes:
    """Return a body that is no JSON."""
    return body


def read_nothing(_body: bytes) -> None:
    """Return None: the reply has no content."""
