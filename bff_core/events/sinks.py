"""The base classes of events, and the sinks that receive them.

A producer checks `if events.sinks:` before it creates an event: without sinks an event costs one
attribute read.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """An event of an upstream; `operation` is a template without ids."""

    name: ClassVar[str] = ""
    """Its name in logs and metrics, as noun.verb."""

    upstream: str
    operation: str


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """An event of the gateway or its process."""

    name: ClassVar[str] = ""
    """Its name in logs and metrics, as noun.verb."""


AnyEvent = Event | GatewayEvent
"""An event of a call to a service, or of the gateway; sinks receive both."""


class Sink(Protocol):
    """Receives each event; must not block or raise."""

    def __call__(self, event: AnyEvent, /) -> None:
        """Take one event."""


class Events:
    """The sinks of one gateway."""

    __slots__ = ("sinks",)

    def __init__(self, *sinks: Sink) -> None:
        self.sinks: tuple[Sink, ...] = sinks

    def listen(self, sink: Sink) -> None:
        """Add a sink."""
        self.sinks = (*self.sinks, sink)

    def emit(self, event: AnyEvent) -> None:
        """Pass an event to every sink."""
        for sink in self.sinks:
            sink(event)
