"""The framework's own handler of the logger "bff_core"."""

import logging
from contextlib import nullcontext
from typing import TextIO

from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.request_ids import RequestIds


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
