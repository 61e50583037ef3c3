"""Bodies as they are recorded: without secrets, or left out if secrets can't be found in them."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from bff_core.call import Headers, find_header
from bff_core.testing.redaction import Redaction, parsed

Body = dict[str, object]
"""A body in the file: `json`, `text`, `base64`, or `omitted` with the reason."""

FORM: Final = "application/x-www-form-urlencoded"
EVENTS: Final = "text/event-stream"
UNKNOWN: Final = "application/octet-stream"
"""The media type of a body that has none."""

_EVENT: Final = re.compile(r".*?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def body_of(content: bytes, headers: Headers, redaction: Redaction) -> Body:
    """Return a body as it is written, without secrets."""
    media = _media_type(headers)
    if media in redaction.unredacted_types:
        return _as_is(content)
    text = _text(content)
    if text is None:
        return _omitted(media)
    if media == FORM or not text:
        return {"text": redaction.form(text)}
    try:
        return {"json": redaction.json(parsed(text))}
    except (ValueError, RecursionError):
        pieces = _pieces(text, media, redaction)
    return {"text": "".join(pieces)} if pieces else _omitted(media)


def pieces_of(
    chunks: Sequence[bytes], headers: Headers, redaction: Redaction, *, is_whole: bool = True
) -> list[Body]:
    """Return the body of a stream: as a whole if it is JSON, otherwise its lines or events.

    A stream that was not read to its end may have half a line: that is left out.
    """
    media, content = _media_type(headers), b"".join(chunks)
    if media in redaction.unredacted_types:
        return [_as_is(chunk) for chunk in chunks]
    text = _text(content)
    if text is None and not is_whole:
        text = _text(content[: content.rfind(b"\n") + 1])
    if text is None:
        return [_omitted(media)]
    pieces = _pieces(text, media, redaction, is_whole=is_whole)
    if pieces and (len(pieces) > 1 or not is_whole):
        return [{"text": piece} for piece in pieces]
    return [body_of(content, headers, redaction)] if content else []


def _pieces(
    text: str, media: str, redaction: Redaction, *, is_whole: bool = True
) -> list[str] | None:
    """Return events or lines of JSON without secrets; None for another text."""
    if media == EVENTS:
        events = [event for event in _EVENT.findall(text) if event]
        return [_event(event, redaction) for event in (events if is_whole else _ended(events))]
    pieces = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        end = "\n" if number < len(lines) else ""
        try:
            pieces.append(_line(line, redaction) + end)
        except (ValueError, RecursionError):
            if is_whole or end or not pieces:
                return None
    return [piece for piece in pieces if piece]


def _ended(events: list[str]) -> list[str]:
    return [event for event in events if event.endswith(("\r\n\r\n", "\n\n", "\r\r"))]


def _line(line: str, redaction: Redaction) -> str:
    if not line.strip():
        return line
    value = parsed(line)
    clean = redaction.json(value)
    return line if clean == value else json.dumps(clean, ensure_ascii=False)


def _event(event: str, redaction: Redaction) -> str:
    """Return an event without secrets: its lines of data are one text."""
    lines = [line for line in _LINE.findall(event) if line]
    data = [line for line in lines if line.startswith("data:")]
    known = "\n".join(line[5:].removeprefix(" ").rstrip("\r\n") for line in data)
    clean = redaction.text(known)
    others = [redaction.text(line) for line in lines if line not in data]
    if clean == known:
        return "".join(line if line in data else redaction.text(line) for line in lines)
    fields = [line for line in others if line.strip()]
    end = event[len(event.rstrip("\r\n")) :]
    return "".join([*fields, *(f"data: {line}\n" for line in clean.split("\n"))]).rstrip("\n") + end


def _as_is(content: bytes) -> Body:
    text = _text(content)
    return {"base64": b64encode(content).decode()} if text is None else {"text": text}


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _omitted(media: str) -> Body:
    reason = f"secrets can't be found in it: it is no form and no JSON in UTF-8, but {media}"
    option = f'unredacted_types=["{media}"]'
    return {"omitted": f"{reason}; record(..., {option}) records such bodies as they are"}


def _media_type(headers: Headers) -> str:
    value = (find_header(headers, b"content-type") or b"").decode("latin-1")
    return value.partition(";")[0].strip().lower() or UNKNOWN
