"""Adds the ids of the current request to log records, of our code or the user's."""

import logging

from bff_core.scope import current_request


def current_ids() -> tuple[str, str]:
    """Return the request id and the trace id of the running request, empty without one."""
    request = current_request.get()
    return ("", "") if request is None else (request.request_id, request.traceparent[3:35])


class RequestIds(logging.Filter):
    """Gives each record `request_id` and `trace_id`, for any formatter; empty outside requests.

    A filter of a handler, or of a `QueueHandler`: it has to run where the line is logged.

        handler.addFilter(RequestIds())
        handler.setFormatter(logging.Formatter("%(message)s %(request_id)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ids that the record lacks; let every record pass."""
        if not hasattr(record, "request_id") or not hasattr(record, "trace_id"):
            record.request_id, record.trace_id = current_ids()
        return True
