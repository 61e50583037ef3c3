"""Formatters for log records of the framework and of other code: JSON lines, or readable text."""

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from bff_core.observe.exceptions import traceback_of
from bff_core.observe.masking import masked, visible, words_of

LEVEL_NAMES: Final = {
    level: logging.getLevelName(level).lower()
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
}

_quick: Final = msgspec.json.Encoder(enc_hook=str).encode
_escaped: Final = json.JSONEncoder(default=str, separators=(",", ":"), allow_nan=False).encode


def json_line(created: float, level: int, event: str, fields: Mapping[str, object]) -> str:
    """Return a line of JSON in ASCII; `created` is a Unix time in seconds."""
    line: dict[str, object] = {
        "time": f"{_to_the_second(int(created))}.{int(created % 1 * 1000):03}+00:00",
        "level": LEVEL_NAMES.get(level) or logging.getLevelName(level).lower(),
        "event": event,
        **fields,
    }
    try:
        text = _quick(line).decode("ascii")
    except Exception:  # noqa: BLE001 - not ASCII, no key of JSON, an error of a value's own `str`
        return _escaped_line(line)
    return text if text.isprintable() else _escaped_line(line)


def _escaped_line(line: dict[str, object]) -> str:
    """Return a line that msgspec can't encode; values that `json` can't either are described."""
    try:
        return _escaped(line)
    except Exception:  # noqa: BLE001 - such as NaN, a value within itself, an error of its `str`
        return _escaped({name: _described(value) for name, value in line.items()})


def _described(value: object) -> object:
    if value is None or isinstance(value, str | bool | int):
        return value
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - nothing of the value can be shown
        return f"<{type(value).__name__}>"


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class JSONLines(logging.Formatter):
    """Formats a record as one JSON object in ASCII: no value can end or forge a line.

    Records of other loggers have `logger`. Records of a request have `request_id` and `trace_id` if
    the handler has the filter `RequestIds`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields, trace = _fields_of(record), _traceback(record)
        if trace:
            fields["traceback"] = trace
        return json_line(record.created, record.levelno, _event_of(record), fields)


class Words(logging.Formatter):
    """Formats a record as time, level, event and `key=value` words, with an indented traceback."""

    colours: Mapping[int, str] = {
        logging.DEBUG: "\x1b[2m",
        logging.INFO: "\x1b[36m",
        logging.WARNING: "\x1b[33m",
        logging.ERROR: "\x1b[31m",
    }

    def __init__(self, *, is_coloured: bool = False) -> None:
        super().__init__()
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the lines of a traceback."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower():7}"
        if self._is_coloured:
            level = f"{self.colours.get(record.levelno, '')}{level}\x1b[0m"
        fields = _fields_of(record)
        trace = _traceback(record) or masked(str(fields.pop("stack", "")))
        event = visible(_event_of(record), quote=False)
        line = " ".join(filter(None, (clock, level, event, words_of(fields))))
        if not trace:
            return line
        lines = trace.split("\n")
        return "\n".join((line, *(f"    {visible(text, quote=False)}" for text in lines if text)))


def _event_of(record: logging.LogRecord) -> str:
    name = getattr(record, "event_name", None)
    return name if isinstance(name, str) else masked(record.getMessage())


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields of an event, or else the record's logger, with the request's ids."""
    values = getattr(record, "event", None)
    fields = dict(values) if isinstance(values, dict) else {"logger": record.name}
    for name in ("request_id", "trace_id"):
        if name not in fields and (value := getattr(record, name, "")):
            fields[name] = value
    return fields


def _traceback(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return "" if error is None else masked(traceback_of(error))
