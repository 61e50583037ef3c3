"""Writes events as structured logs: JSON lines for machines, coloured words for people.

It goes through the standard library's `logging`, under the logger "bff_core": whoever has a
logging set-up of their own hands `LogSink` to the events and attaches no handler of ours.
Line ends, escape sequences and other invisible characters are escaped, credentials are masked.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Literal, TextIO

from bff_core.errors import BFFError
from bff_core.events import (
    Answered,
    AnswerForgotten,
    AnyEvent,
    Attempted,
    BreakerChanged,
    Cached,
    Coalesced,
    ConfigurationWarned,
    Crashed,
    Drained,
    Ejected,
    Evicted,
    FileOpened,
    Hedged,
    HedgeRefused,
    HedgeWon,
    LimitMoved,
    LocationDropped,
    LoopBlocked,
    LoopFreed,
    Opened,
    PartEnded,
    PoliciesChanged,
    PoliciesRefused,
    Pressed,
    Purged,
    Refused,
    ReloadSkipped,
    ReplyReduced,
    Resolved,
    Restored,
    Retried,
    RetryRefused,
    SagaEnded,
    SagaStuck,
    SessionChanged,
    Shed,
    StoreChanged,
    StoreRefused,
    TokenRefused,
    Unauthorized,
    WorkerEnded,
)

LOGGER = "bff_core"

LEVELS: Mapping[type, int] = {
    Attempted: logging.DEBUG,
    Coalesced: logging.DEBUG,
    Cached: logging.DEBUG,
    Purged: logging.INFO,
    Evicted: logging.DEBUG,
    Retried: logging.INFO,
    RetryRefused: logging.INFO,
    Hedged: logging.DEBUG,
    HedgeWon: logging.DEBUG,
    HedgeRefused: logging.DEBUG,
    BreakerChanged: logging.WARNING,
    Shed: logging.INFO,
    LimitMoved: logging.DEBUG,
    LocationDropped: logging.WARNING,
    Unauthorized: logging.INFO,
    TokenRefused: logging.WARNING,
    Ejected: logging.WARNING,
    Restored: logging.INFO,
    Resolved: logging.INFO,
    ReplyReduced: logging.WARNING,
    PartEnded: logging.WARNING,
    SagaEnded: logging.INFO,
    SagaStuck: logging.ERROR,
    SessionChanged: logging.INFO,
    StoreChanged: logging.WARNING,
    StoreRefused: logging.ERROR,
    Pressed: logging.WARNING,
    AnswerForgotten: logging.WARNING,
    PoliciesChanged: logging.INFO,
    ConfigurationWarned: logging.WARNING,
    PoliciesRefused: logging.ERROR,
    ReloadSkipped: logging.WARNING,
    Opened: logging.INFO,
    FileOpened: logging.INFO,
    Refused: logging.INFO,
    LoopBlocked: logging.WARNING,
    LoopFreed: logging.WARNING,
    Drained: logging.INFO,
    WorkerEnded: logging.ERROR,
    Crashed: logging.ERROR,
}

_CREDENTIALS = re.compile(
    r"(?i)\b(bearer|basic|dpop|apikey)\s+[\w.~+/=-]+|\b((?:set-)?cookie:)[^\r\n]*"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bbff_[a-z0-9]{8}_[a-z0-9]{45}"
)


class LogSink:
    """Writes one line per event; nothing is built for an event below the logger's level."""

    __slots__ = ("_logger",)

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger(LOGGER)

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""
        level = level_of(event)
        if not self._logger.isEnabledFor(level):
            return
        error = getattr(event, "error", None)
        exc_info = error if isinstance(error, BaseException) and _is_bug(error) else None
        extra = {"event": _fields(event)}
        self._logger.log(level, _name(type(event).__name__), exc_info=exc_info, extra=extra)


def level_of(event: AnyEvent) -> int:
    """Return the level of an event; an answer's goes by its status."""
    if isinstance(event, Answered):
        if event.status >= 500:
            return logging.ERROR
        return logging.WARNING if event.status >= 400 else logging.INFO
    return LEVELS.get(type(event), logging.INFO)


def log_sink(
    form: Literal["json", "text", "off"], level: str = "info", *, stream: TextIO | None = None
) -> LogSink | None:
    """Set up the logger "bff_core" and return its sink; None when logs are off.

    `stream` is standard error by default; colours are used where it is a terminal. May be called
    again: the latest form holds.
    """
    logger = logging.getLogger(LOGGER)
    for handler in [h for h in logger.handlers if isinstance(h, _Handler)]:
        logger.removeHandler(handler)
    if form == "off":
        return None
    target = stream or sys.stderr
    handler = _Handler(target)
    handler.setFormatter(JSONLines() if form == "json" else Words(is_coloured=target.isatty()))
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    return LogSink(logger)


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, and so to be replaced by a later set-up; others' handlers stay."""


class JSONLines(logging.Formatter):
    """One JSON object per record, in ASCII: no character of a value can end or forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": masked(record.getMessage()),
        }
        line |= getattr(record, "event", {})
        if record.exc_info:
            line["traceback"] = masked(_traceback(record))
        return json.dumps(line, default=str)


class Words(logging.Formatter):
    """Time, level, event and `key=value` words; a traceback or a stack follows, indented."""

    colours: Mapping[int, str] = {
        logging.DEBUG: "\x1b[2m",
        logging.INFO: "\x1b[36m",
        logging.WARNING: "\x1b[33m",
        logging.ERROR: "\x1b[31m",
    }

    def __init__(self, *, is_coloured: bool) -> None:
        super().__init__()
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower():7}"
        if self._is_coloured:
            level = f"{self.colours.get(record.levelno, '')}{level}\x1b[0m"
        fields = dict(getattr(record, "event", {}))
        trace = _traceback(record) or str(fields.pop("stack", ""))
        words = [f"{key}={visible(value)}" for key, value in fields.items() if value != ""]
        line = " ".join((clock, level, visible(masked(record.getMessage()), quote=False), *words))
        if not trace:
            return line
        lines = masked(trace).split("\n")
        return "\n".join((line, *(f"    {visible(text, quote=False)}" for text in lines if text)))


def visible(value: object, *, quote: bool = True) -> str:
    """Return a value as text without invisible characters, in quotes where spaces need them."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if quote and (not text or any(c in text for c in ' "=')):
        return json.dumps(text, ensure_ascii=False)
    return text


def masked(text: str) -> str:
    """Return a text without the credentials that can be recognised in it."""
    return _CREDENTIALS.sub(lambda match: f"{match[1] or match[2] or ''} ***".strip(), text)


def _is_bug(error: BaseException) -> bool:
    """Whether the place in the code matters; a service's failure is told well by its message."""
    return not isinstance(error, BFFError) or error.status == 500


def _traceback(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return "" if error is None else "".join(traceback.format_exception(error)).rstrip("\n")


def _fields(event: AnyEvent) -> dict[str, object]:
    fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
    error = fields.get("error")
    if isinstance(error, BaseException):
        fields["error"] = masked(f"{type(error).__name__}: {error}")
    elif "error" in fields and not error:
        del fields["error"]
    return fields


@cache
def _name(kind: str) -> str:
    """Return an event's name in a log: PartEnded is part_ended."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
