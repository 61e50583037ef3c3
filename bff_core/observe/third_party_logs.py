"""Formats log records of other loggers while a gateway runs.

It is applied when the gateway starts: by then the user's code has set up its logging.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bff_core.events import Sink
from bff_core.observe.exceptions import is_logged
from bff_core.observe.log import LOGGER, LogSink
from bff_core.observe.log_handler import own_handler

SERVER_LOGGERS: Final = ("uvicorn.error",)
"""Loggers of servers, which log exceptions that the gateway has logged and raised again."""


WRITTEN: Final = frozenset({"json", "text"})
"""The forms for which the framework installs a handler."""


@contextmanager
def foreign_logs_formatted(sinks: Sequence[Sink], *, is_own_process: bool) -> Iterator[None]:
    """Write records of other loggers in our format, if no other handler writes them.

    1. Enable our own logger again, if a `dictConfig` that did not name it has disabled it.
    2. In a process of our own, with form json or text, add our handler to a root logger that has
       none. An embedded gateway leaves the root logger alone.
    3. Stop servers from logging a second traceback of an exception that we have logged.
    """
    own = [sink for sink in sinks if isinstance(sink, LogSink)]
    if not own:
        yield
        return
    root, handler = logging.getLogger(), None
    form = next((sink.form for sink in own if sink.form in WRITTEN), "root")
    if any(sink.form for sink in own):
        logging.getLogger(LOGGER).disabled = False
    if is_own_process and form in WRITTEN and not root.handlers:
        handler = own_handler(form, sys.stderr)
        root.addHandler(handler)
    loggers = [logging.getLogger(name) for name in SERVER_LOGGERS]
    for logger in loggers:
        logger.addFilter(is_not_logged_yet)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_not_logged_yet)
        if handler is not None:
            root.removeHandler(handler)


def is_not_logged_yet(record: logging.LogRecord) -> bool:
    """Whether a record has no exception, or one that we have not logged."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not is_logged(error)
