"""Writes events as structured logs: JSON lines for machines, coloured words for people.

Lines go through the logger "bff_core" of the standard library. With the form "root" it has no
handler of its own: the handlers and formatters of the root logger write the lines. Line ends,
escape sequences and other invisible characters are escaped, credentials are masked.
"""

import logging
import sys
import time
from typing import Literal, TextIO

from bff_core import events
from bff_core.errors import UpstreamError
from bff_core.keywords import checks_keywords
from bff_core.observe.access_log import AccessLog
from bff_core.observe.exceptions import cause_of, described, is_bug, mark_logged, traceback_of
from bff_core.observe.formatters import json_line
from bff_core.observe.log_fields import logged_values
from bff_core.observe.log_handler import OwnHandler, own_handler
from bff_core.observe.log_levels import level_of
from bff_core.observe.masking import masked, redacted, visible, words_of
from bff_core.payload_errors import SAMPLE_BYTES

LOGGER = "bff_core"

Form = Literal["json", "text", "root", "off"]


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
        handler: OwnHandler | None = None,
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
        name, values = event.name or type(event).__name__, logged_values(event)
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
