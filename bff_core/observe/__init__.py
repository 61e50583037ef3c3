"""Logging: the sink that logs events, and formatters and a filter for logging set-ups of users."""

from bff_core.observe.access_log import AccessLog
from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.log import LogSink
from bff_core.observe.request_ids import RequestIds
from bff_core.public_names import publish

__all__ = [
    "AccessLog",
    "JSONLines",
    "LogSink",
    "RequestIds",
    "Words",
]

publish(__name__, __all__)
