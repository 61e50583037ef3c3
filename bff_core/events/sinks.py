"""What every event is, and who hears of it; free when nobody listens.

A producer asks `if events.sinks:` before it builds a record, so that an unheard event costs one
attribute read.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at an upstream; `operation` is a template and holds no ids."""

    upstream: str
    operation: str


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """Something that happened in the gateway itself, or in its process."""


AnyEvent = Event | GatewayEvent


class Sink(Protocol):
    """Receives each event; must neither block nor raise."""

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""


class Events:
    """The sinks of one gateway. `sinks` is empty when nobody listens."""

    __slots__ = ("sinks",)

    def __init__(self, *sinks: Sink) -> None:
        self.sinks: tuple[Sink, ...] = sinks

    def listen(self, sink: Sink) -> None:
        """Add a sink."""
        self.sinks = (*self.sinks, sink)

    def emit(self, event: AnyEvent) -> None:
        """Hand an event to every sink."""
        for sink in self.sinks:
            sink(event)
