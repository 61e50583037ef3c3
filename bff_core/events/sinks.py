"""What every event is, and how sinks receive it.

A producer checks `if events.sinks:` before it builds a record, so that an event without a sink
costs one attribute read.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at an upstream; `operation` is a template and holds no ids."""

    name: ClassVar[str] = ""
    """What happened, as noun.verb: the event's name in logs and metrics."""

    upstream: str
    operation: str


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """Something that happened in the gateway itself, or in its process."""

    name: ClassVar[str] = ""
    """What happened, as noun.verb: the event's name in logs and metrics."""


AnyEvent = Event | GatewayEvent


class Sink(Protocol):
    """Receives each event; must neither block nor raise."""

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""


class Events:
    """The sinks of one gateway; `sinks` is empty when there are none."""

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
