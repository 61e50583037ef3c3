"""Masks the bodies of requests and responses by their media type."""

import json
import re
from typing import Final

import msgspec

from bff_core.observe.graphql_masking import masked_document
from bff_core.observe.masking import HIDDEN, is_card, masked, redacted
from bff_core.observe.request_redaction import shown_query
from bff_core.observe.secret_names import hides, is_secret, is_secret_within

_LABELS: Final = ("name", "key", "header", "field")
"""Members of an object that name its member `value`, as forms and lists of headers are written."""

_LINES: Final = frozenset(
    {"application/jsonl", "application/json-seq", "application/x-ndjson", "text/event-stream"}
)
_ELEMENT: Final = re.compile(r"<([\w:.-]++)([^<>]*+)>([^<>]++)(?=</)")
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,70})', re.IGNORECASE)
_PART_NAME: Final = re.compile(r'\bname="?([^";\r\n]*)', re.IGNORECASE)
_PART_TYPE: Final = re.compile(r"^content-type:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def masked_bytes(body: bytes, media_type: str) -> bytes:
    """Return a body without secrets; what is not UTF-8 is read as Latin-1.

    Raise `RecursionError` for JSON that is nested too deeply.
    """
    try:
        return masked_text(body.decode(), media_type).encode()
    except UnicodeDecodeError:
        return masked_text(body.decode("latin-1"), media_type).encode("latin-1", "replace")


def masked_text(text: str, media_type: str) -> str:
    """Return the text of a body without secrets, as it was if there are none."""
    kind = media_type.partition(";")[0].strip().lower()
    boundary = _BOUNDARY.search(media_type)
    if kind.startswith("multipart/") and boundary:
        return _multipart(text, f"--{boundary[1]}")
    if kind == "application/x-www-form-urlencoded":
        return _form(text)
    if kind == "application/graphql":
        return masked_document(text)
    if kind in _LINES:
        return "\n".join(map(_line, text.split("\n")))
    found = _json(text)
    if found is not None:
        return found
    if "<" in text:
        text = _ELEMENT.sub(_element, text)
    return redacted(text)


def _json(text: str) -> str | None:
    """Return JSON without secrets; None for what is not JSON."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    clean = masked_value(value)
    if clean == value and not _has_duplicates(text):
        return text
    return msgspec.json.encode(clean).decode()


def masked_value(value: object, name: str = "", *, is_inner: bool = False) -> object:
    """Return a value of JSON; texts and numbers of secret-sounding names are masked.

    `name` is that of the value, or of the list that it is in; `is_inner` is whether it is within a
    secret.
    """
    if isinstance(value, dict):
        return _object(value, name, is_inner=is_inner)
    if isinstance(value, list):
        return [masked_value(one, name, is_inner=is_inner) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if is_inner or hides(name, str(value)):
        return HIDDEN
    if isinstance(value, str):
        return _text(value, name)
    return HIDDEN if is_card(str(value).removesuffix(".0")) else value


def _object(value: dict[str, object], name: str, *, is_inner: bool) -> dict[str, object]:
    labels = [value.get(one) for one in _LABELS]
    is_pair = any(isinstance(one, str) and is_secret(one[:200]) for one in labels)
    found: dict[str, object] = {}
    for key, one in value.items():
        shown = HIDDEN if is_inner and hides("key", key) else masked(key)
        if shown in found:  # another one that is hidden as well
            shown = f"{shown}{len(found)}"
        is_hidden = is_inner or (is_pair and key == "value") or _is_secret(name, key)
        found[shown] = masked_value(one, key, is_inner=is_hidden)
    return found


def _is_secret(parent: str, name: str) -> bool:
    return is_secret(name[:200]) or is_secret_within(parent[:200], name[:200])


def _text(value: str, name: str) -> str:
    """Return a text within JSON: it may be JSON, or a document of GraphQL."""
    start = value.lstrip()[:1]
    if start in {"{", "["} and (found := _json(value)) is not None:
        return found
    if name == "query" and "{" in value:
        return masked_document(value)
    return redacted(value) if start in {"{", "["} else masked(value)


class _Duplicate(Exception):
    """An object has a name twice."""


def _has_duplicates(text: str) -> bool:
    """Whether any object has a name twice: the value that was not read may be a secret."""

    def check(pairs: list[tuple[str, object]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise _Duplicate

    try:
        json.loads(text, object_pairs_hook=check)
    except _Duplicate:
        return True
    return False


def _line(line: str) -> str:
    """Return a line of a stream of JSON, or of server-sent events."""
    before, mark, after = line.partition("{")
    if mark and '"' not in before:
        end = "\r" if after.endswith("\r") else ""
        found = _json(f"{mark}{after}".rstrip())
        if found is not None:
            return f"{before}{found}{end}"
    return redacted(line)


def _form(text: str) -> str:
    shown = shown_query(text.encode("latin-1", "replace"), has_values=True, limit=len(text))
    return shown if HIDDEN in shown else text


def _element(match: re.Match[str]) -> str:
    name, attributes, text = match.groups()
    return f"<{name}{attributes}>{HIDDEN}" if hides(name, text.strip()) else match[0]


def _multipart(text: str, boundary: str) -> str:
    return boundary.join(map(_part, text.split(boundary)))


def _part(part: str) -> str:
    """Return a part of a multipart body; those of files are masked by their type."""
    for gap in ("\r\n\r\n", "\n\n"):
        head, mark, body = part.partition(gap)
        if mark:
            break
    else:
        return part
    name, kind = _PART_NAME.search(head), _PART_TYPE.search(head)
    value = body.rstrip("\r\n-")
    if name is not None and value and hides(name[1], value):
        return f"{head}{mark}{HIDDEN}{body[len(value) :]}"
    shown = masked_text(value, kind[1] if kind is not None else "")
    return f"{head}{mark}{shown}{body[len(value) :]}"
