"""How log lines of other code are written while a gateway runs.

Called when the gateway starts: by then the user's code has set up `logging`, if it does.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bff_core.events import Sink
from bff_core.observe.exceptions import is_logged
from bff_core.observe.log import LOGGER, LogSink, own_handler

SERVER_LOGGERS: Final = ("uvicorn.error",)
"""Where servers log an exception that a gateway has logged and raised again, to be cut off."""


WRITTEN: Final = frozenset({"json", "text"})
"""Forms that a handler of ours writes."""


@contextmanager
def lines_of_others(sinks: Sequence[Sink], *, is_own_process: bool) -> Iterator[None]:
    """Write the lines of other loggers as ours are written, where no other handler does.

    1. Our own logger is on again, if a `dictConfig` that did not name it has disabled it.
    2. In a process of our own, with the forms json and text and a root logger without handlers,
       our handler writes its lines. An embedded gateway leaves the root logger alone.
    3. A server does not log a second traceback of an exception that we have logged.
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
        logger.addFilter(is_news)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_news)
        if handler is not None:
            root.removeHandler(handler)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a record has no exception, or of one that we have not logged."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not is_logged(error)
