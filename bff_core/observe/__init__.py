"""Sinks for events: logs now. What a logging set-up of the user's own is made of."""

from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.log import LogSink
from bff_core.observe.request_ids import RequestIds

__all__ = ["JSONLines", "LogSink", "RequestIds", "Words"]
