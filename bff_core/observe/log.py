"""Writes events as structured logs: JSON lines for machines, coloured words for people.

Lines go through the logger "bff_core" of the standard library. With the form "root" it has no
handler of its own: the handlers and formatters of the root logger write the lines. Line ends,
escape sequences and other invisible characters are escaped, credentials are masked.
"""

import logging
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Literal, TextIO

from bff_core import events
from bff_core.errors import UpstreamError
from bff_core.observe.exceptions import cause_of, described, is_bug, mark_logged, traceback_of
from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.masking import masked, redacted, visible, words_of
from bff_core.observe.request_ids import RequestIds, current_ids
from bff_core.payload_errors import SAMPLE_BYTES

LOGGER = "bff_core"

Form = Literal["json", "text", "root", "off"]


LEVELS: Mapping[type, int] = {
    events.RequestStarted: logging.DEBUG,
    events.PartStarted: logging.DEBUG,
    events.CallStarted: logging.DEBUG,
    events.CallEnded: logging.DEBUG,
    events.AttemptStarted: logging.DEBUG,
    events.WorkStarted: logging.DEBUG,
    events.WorkEnded: logging.DEBUG,
    events.Attempted: logging.DEBUG,
    events.Coalesced: logging.DEBUG,
    events.CacheLookup: logging.DEBUG,
    events.Purged: logging.INFO,
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
    events.PartEnded: logging.WARNING,
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
    events.Crashed: logging.ERROR,
}


UNLOGGED = frozenset({"span", "leader"})
"""Fields of events for sinks that trace; lines of the log have the ids of their request."""


class LogSink:
    """An event sink that logs one line per event; events below the logger's level cost nothing.

    `form` is the form that `log_sink` set up, or "" for a user's own logger.
    """

    __slots__ = ("_logger", "form")

    def __init__(
        self, logger: logging.Logger | None = None, *, form: Form | Literal[""] = ""
    ) -> None:
        self._logger = logger or logging.getLogger(LOGGER)
        self.form = form

    def __call__(self, event: events.AnyEvent, /) -> None:
        """Log one event."""
        logger, level = self._logger, level_of(event)
        if not logger.isEnabledFor(level):
            return
        values, error = _fields(event), getattr(event, "error", None)
        name, shown = event.name or type(event).__name__, None
        if isinstance(error, BaseException):
            values |= self._error_fields(error)
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
    """Return the level of an event; a response's level depends on its status."""
    match event:
        case events.RequestAnswered(status=status) if status >= 500:
            return logging.ERROR
        case events.RequestAnswered(status=status, error=error):
            return logging.WARNING if status >= 400 or error else logging.INFO
        case events.Purged(count=0):
            return logging.DEBUG
        # The code that awaits the part gets the error, or the part that it awaited reports it.
        case events.PartEnded(is_raised=True) | events.PartEnded(reason="dependency"):
            return logging.DEBUG
        case events.PartEnded(state="ok"):
            return logging.DEBUG
    return LEVELS.get(type(event), logging.INFO)


def log_sink(form: Form, level: str = "info", *, stream: TextIO | None = None) -> LogSink | None:
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
    if form != "root":
        logger.addHandler(own_handler(form, stream or sys.stderr))
    logger.setLevel(level.upper())
    logger.propagate = form == "root"
    return LogSink(logger, form=form)


class OwnHandler(logging.StreamHandler[TextIO]):
    """The framework's own handler, which a later call of `log_sink` replaces."""


def own_handler(form: str, stream: TextIO) -> OwnHandler:
    """Return a handler that writes lines in a form."""
    handler = OwnHandler(stream)
    handler.addFilter(RequestIds())
    handler.setFormatter(JSONLines() if form == "json" else Words(is_coloured=stream.isatty()))
    return handler


def _fields(event: events.AnyEvent) -> dict[str, object]:
    """Return the fields of an event and the ids of its request, without empty values."""
    values: dict[str, object] = {}
    for field in fields(event):
        if field.name in UNLOGGED:
            continue
        value = getattr(event, field.name)
        if field.default is MISSING or value not in (None, "", False):
            values[field.name] = masked(value) if field.name == "path" else value
    for name, value in zip(("request_id", "trace_id"), current_ids(), strict=True):
        if value and not values.get(name):
            values[name] = value
    return values
