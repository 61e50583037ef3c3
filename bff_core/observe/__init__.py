"""Logging: the sink that logs events, and the formatters and filter for users' own set-ups."""

from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.log import LogSink
from bff_core.observe.request_ids import RequestIds

__all__ = ["JSONLines", "LogSink", "RequestIds", "Words"]
