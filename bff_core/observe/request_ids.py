"""Adds the ids of the current request to log records of any logger."""

import logging

from bff_core.scope import current_request


def current_ids() -> tuple[str, str]:
    """Return the request id and the trace id of the running request, empty without one."""
    request = current_request.get()
    return ("", "") if request is None else (request.request_id, request.traceparent[3:35])


class RequestIds(logging.Filter):
    """A filter that gives each record `request_id` and `trace_id`, empty outside requests.

    Add it to a handler, or to the `QueueHandler`: it has to run in the task that logs.

        handler.addFilter(RequestIds())
        handler.setFormatter(logging.Formatter("%(message)s %(request_id)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add missing ids; return True."""
        if not hasattr(record, "request_id") or not hasattr(record, "trace_id"):
            record.request_id, record.trace_id = current_ids()
        return True
