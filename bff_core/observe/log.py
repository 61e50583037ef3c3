"""Writes events as structured logs: JSON lines for machines, coloured words for people.

Lines go through the logger "bff_core" of the standard library. With the form "root" it has no
handler of its own: the handlers and formatters of the root logger write the lines. Line ends,
escape sequences and other invisible characters are escaped, credentials are masked.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any, Final, Literal, TextIO

from msgspec import NODEFAULT
from msgspec.structs import fields

from bff_core import events
from bff_core.errors import UpstreamError
from bff_core.keywords import checks_keywords
from bff_core.observe.access_log import AccessLog
from bff_core.observe.exceptions import cause_of, described, is_bug, mark_logged, traceback_of
from bff_core.observe.formatters import JSONLines, Words, json_line
from bff_core.observe.masking import masked, redacted, visible, words_of
from bff_core.observe.request_ids import RequestIds, current_ids
from bff_core.payload_errors import SAMPLE_BYTES

LOGGER = "bff_core"

Form = Literal["json", "text", "root", "off"]


def _of_answer(event: events.RequestAnswered) -> int:
    """By status."""
    if event.status >= 500:
        return logging.ERROR
    return logging.WARNING if event.status >= 400 or event.error else logging.INFO


def _of_purge(event: events.Purged) -> int:
    """Info; debug if nothing was purged."""
    return logging.INFO if event.count else logging.DEBUG


def _of_part(event: events.PartEnded) -> int:
    """Warning; debug if the part ended well, or its error is reported by what awaits it."""
    is_known = event.is_raised or event.reason == "dependency" or event.state == "ok"
    return logging.DEBUG if is_known else logging.WARNING


def _of_stream(event: events.StreamEnded) -> int:
    """Debug; warning if the service broke off."""
    return logging.DEBUG if event.outcome in {"whole", "closed"} else logging.WARNING


LEVELS: Final[Mapping[type, int | Callable[[Any], int]]] = {
    events.RequestStarted: logging.DEBUG,
    events.RequestShed: logging.DEBUG,
    events.PartStarted: logging.DEBUG,
    events.PartsEnded: logging.DEBUG,
    events.CallStarted: logging.DEBUG,
    events.CallEnded: logging.DEBUG,
    events.StreamEnded: _of_stream,
    events.AttemptStarted: logging.DEBUG,
    events.WorkStarted: logging.DEBUG,
    events.WorkEnded: logging.DEBUG,
    events.Attempted: logging.DEBUG,
    events.Coalesced: logging.DEBUG,
    events.CacheLookup: logging.DEBUG,
    events.Purged: _of_purge,
    events.Evicted: logging.DEBUG,
    events.Retried: logging.INFO,
    events.RetryRefused: logging.INFO,
    events.Hedged: logging.DEBUG,
    events.HedgeWon: logging.DEBUG,
    events.HedgeRefused: logging.DEBUG,
    events.BreakerChanged: logging.WARNING,
    events.CallRejected: logging.INFO,
    events.LimitMoved: logging.DEBUG,
    events.LocationDropped: logging.WARNING,
    events.Unauthorized: logging.INFO,
    events.TokenRefused: logging.WARNING,
    events.Ejected: logging.WARNING,
    events.Restored: logging.INFO,
    events.Resolved: logging.INFO,
    events.ReplyReduced: logging.WARNING,
    events.PartEnded: _of_part,
    events.RequestAnswered: _of_answer,
    events.SagaEnded: logging.INFO,
    events.SagaStuck: logging.ERROR,
    events.SessionChanged: logging.INFO,
    events.StoreChanged: logging.WARNING,
    events.StoreRefused: logging.ERROR,
    events.LoadShed: logging.WARNING,
    events.AnswerForgotten: logging.WARNING,
    events.PoliciesChanged: logging.INFO,
    events.ConfigurationWarned: logging.WARNING,
    events.PoliciesRefused: logging.ERROR,
    events.ReloadSkipped: logging.WARNING,
    events.Opened: logging.INFO,
    events.FileOpened: logging.INFO,
    events.Refused: logging.INFO,
    events.LoopBlocked: logging.WARNING,
    events.LoopFreed: logging.WARNING,
    events.Drained: logging.INFO,
    events.WorkerEnded: logging.ERROR,
    events.OperatorActed: logging.WARNING,
    events.OperatorRefused: logging.WARNING,
    events.Crashed: logging.ERROR,
}
"""The level of each kind of event, or a function that returns it; of other kinds it is info."""

MASKED: Final = frozenset({"path", "error", "reason", "stack", "headers"})
"""Fields with text that may quote what was sent."""

UNLOGGED = frozenset({"span", "leader", "scheme", "url"})
"""Fields of events for other sinks; lines of the log have the ids of their request."""


@checks_keywords
class LogSink:
    """An event sink that logs one line per event; events below the logger's level cost little.

    `form` is the form that `log_sink` set up, or "" for a user's own logger. As long as the lines
    of `handler` are all that the logger writes, a JSON line is written without a `LogRecord`, whose
    making takes longer than the rest (docs/decisions/0047-json-lines-without-records.md). `access`
    says which requests have a line.
    """

    __slots__ = ("_access", "_handler", "_logger", "form")

    def __init__(
        self,
        logger: logging.Logger | None = None,
        *,
        form: Form | Literal[""] = "",
        handler: "OwnHandler | None" = None,
        access: AccessLog | None = None,
    ) -> None:
        self._access = None if access is None or access.has_all else access
        self._logger = logger or logging.getLogger(LOGGER)
        self._handler = handler
        self.form = form

    def __call__(self, event: events.AnyEvent, /) -> None:
        """Log one event."""
        logger, level = self._logger, level_of(event)
        if not logger.isEnabledFor(level):
            return
        if (
            self._access is not None
            and isinstance(event, events.RequestAnswered)
            and not self._access.has_line(event)
        ):
            return
        error = getattr(event, "error", None)
        name, values = event.name or type(event).__name__, _fields(event)
        if isinstance(error, BaseException):
            values |= self._error_fields(error)
        elif (handler := self._handler) is not None and handler.is_alone(logger, level):
            handler.write_line(json_line(time.time(), level, name, values))
            return
        self._handle(event, level, name, values, error)

    def _handle(
        self,
        event: events.AnyEvent,
        level: int,
        name: str,
        values: dict[str, object],
        error: object,
    ) -> None:
        """Pass a record to the handlers of the logger."""
        logger, shown = self._logger, None
        if isinstance(error, BaseException):
            request_id = str(values.get("request_id", ""))
            # An exception that became an answer was handled, or has a `Crashed` of its own.
            is_known = isinstance(event, events.RequestAnswered) or mark_logged(
                error, logger.name, request_id
            )
            shown = error if is_bug(error) and not is_known else None
        record = logger.makeRecord(
            logger.name, level, __file__, 0, _Line(name, values), (),
            None if shown is None else (type(shown), shown, shown.__traceback__),
            extra={
                "event": values,
                "event_name": name,
                "request_id": values.get("request_id", ""),
                "trace_id": values.get("trace_id", ""),
            },
        )  # fmt: skip
        if shown is not None:
            record.exc_text = masked(traceback_of(shown))  # for every formatter
        logger.handle(record)

    def _error_fields(self, error: BaseException) -> dict[str, object]:
        """Return an error's text, its call, and at level debug a sample of the reply."""
        cause = cause_of(error)
        values: dict[str, object] = {"error": masked(described(error))}
        if isinstance(cause, UpstreamError):
            values |= {"upstream": cause.call.upstream, "operation": cause.call.operation}
        sample = getattr(cause, "sample", None)
        if isinstance(sample, bytes) and sample and self._logger.isEnabledFor(logging.DEBUG):
            text = sample[:SAMPLE_BYTES].decode("utf-8", "backslashreplace")
            values["sample"] = visible(redacted(text), quote=False)
        return values


class _Line:
    """The message of a record, for `%(message)s`; rendered only if it is used."""

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str, values: dict[str, object]) -> None:
        self._name = name
        self._fields = values

    def __str__(self) -> str:
        return f"{self._name} {words_of(self._fields)}".rstrip()


def level_of(event: events.AnyEvent) -> int:
    """Return the level of an event."""
    level = LEVELS.get(type(event), logging.INFO)
    return level if isinstance(level, int) else level(event)


def log_sink(
    form: Form,
    level: str = "info",
    *,
    stream: TextIO | None = None,
    access: AccessLog | None = None,
) -> LogSink | None:
    """Set up the logger "bff_core" and return its sink; None when logs are off.

    `stream` is standard error by default, and is coloured if it is a terminal. With "root" the
    handlers of the root logger write the lines; with `level` "notset" they also set the level. A
    further call replaces the set-up.
    """
    logger = logging.getLogger(LOGGER)
    for handler in [h for h in logger.handlers if isinstance(h, OwnHandler)]:
        logger.removeHandler(handler)
    if form == "off":
        return None
    logger.setLevel(level.upper())
    logger.propagate = form == "root"
    if form == "root":
        return LogSink(logger, form=form, access=access)
    own = own_handler(form, stream or sys.stderr)
    logger.addHandler(own)
    return LogSink(logger, form=form, handler=own if form == "json" else None, access=access)


class OwnHandler(logging.StreamHandler[TextIO]):
    """The framework's own handler, which a later call of `log_sink` replaces."""

    def is_alone(self, logger: logging.Logger, level: int) -> bool:
        """Whether this handler, as it was set up, is all that gets the lines of a logger."""
        handlers = logger.handlers
        return (
            len(handlers) == 1
            and handlers[0] is self
            and level >= self.level
            and not (logger.propagate or logger.filters)
            and len(self.filters) == 1
            and isinstance(self.filters[0], RequestIds)
            and logging.getLogRecordFactory() is logging.LogRecord
            and type(self.formatter) is JSONLines
        )

    def write_line(self, line: str) -> None:
        """Write a line as `emit` writes that of a record."""
        with self.lock or nullcontext():
            try:
                self.stream.write(line + self.terminator)
                self.flush()
            except Exception:  # noqa: BLE001 - as `Handler.emit` does: a log must not fail its caller
                self.handleError(logging.makeLogRecord({"msg": line}))


def own_handler(form: str, stream: TextIO) -> OwnHandler:
    """Return a handler that writes lines in a form."""
    handler = OwnHandler(stream)
    handler.addFilter(RequestIds())
    handler.setFormatter(JSONLines() if form == "json" else Words(is_coloured=stream.isatty()))
    return handler


def _fields(event: events.AnyEvent) -> dict[str, object]:
    """Return the fields of an event and the ids of its request, without empty values."""
    values: dict[str, object] = {}
    for name, default in _logged_fields(type(event)):
        value = getattr(event, name)
        if value or default is NODEFAULT or value not in (None, "", False):
            values[name] = _masked(value) if name in MASKED else value
    if not (values.get("request_id") and values.get("trace_id")):
        request_id, trace_id = current_ids()
        if request_id:
            values["request_id"] = values.get("request_id") or request_id
            values["trace_id"] = values.get("trace_id") or trace_id
    return values


def _masked(value: object) -> object:
    """Return a text, or the headers of a request, without credentials."""
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    return masked(value) if isinstance(value, str) else value


@cache
def _logged_fields(kind: Any) -> tuple[tuple[str, object], ...]:
    """Return the names and defaults of the fields that lines of a kind of event have."""
    return tuple((one.name, one.default) for one in fields(kind) if one.name not in UNLOGGED)
