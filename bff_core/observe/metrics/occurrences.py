"""What operators want to know: changes of the process and its services, with who caused them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bff_core import events
from bff_core.events.sinks import AnyEvent


class Occurrence(msgspec.Struct, frozen=True):
    """Something that happened: `kind` is the event's name, `time` Unix time.

    `subject` is a service, a store or a saga; `details` are what the text about it needs.
    """

    id: str
    time: float
    kind: str
    subject: str
    details: dict[str, str] = {}


def _details(*fields: str) -> Callable[[Any], dict[str, str]]:
    return lambda event: {one: _text(getattr(event, one)) for one in fields}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shed(event: events.LoadShed) -> dict[str, str]:
    return {
        "refused": str(sum(event.refused.values())),
        "dimmed": str(event.dimmed),
        "lag": f"{event.lag:.4f}",
    }


SUBJECTS: Final[Mapping[type, tuple[str, Callable[[Any], dict[str, str]]]]] = {
    events.BreakerChanged: ("upstream", _details("state", "retry_after")),
    events.Ejected: ("upstream", _details("endpoint", "duration")),
    events.Restored: ("upstream", _details("endpoint")),
    events.HealthChanged: ("upstream", _details("endpoint", "health", "reason")),
    events.Resolved: ("upstream", _details("endpoints", "error")),
    events.TokenRefused: ("upstream", _details("reason")),
    events.StoreChanged: ("store", _details("state", "reason")),
    events.StoreRefused: ("store", _details("reason")),
    events.LoadShed: ("", _shed),
    events.LoopBlocked: ("", _details("waited")),
    events.PoliciesChanged: ("", _details("changes")),
    events.PoliciesRefused: ("", _details("reason")),
    events.Purged: ("", _details("tags", "by", "count")),
    events.SagaStuck: ("saga", _details("step", "reason", "pause")),
    events.WorkerEnded: ("", _details("pid", "cause")),
    events.OperatorActed: ("subject", _details("actor", "action")),
    events.OperatorRefused: ("place", _details("client", "attempts")),
    events.Opened: ("", _details("address")),
    events.Drained: ("", _details("unfinished")),
}
"""The events that are stored: the field with the subject, and the details."""


def occurrence_of(event: AnyEvent, now: float, number: int) -> Occurrence | None:
    """Return what operators want to know of an event; None for all other events."""
    found = SUBJECTS.get(type(event))
    if found is None:
        return None
    if isinstance(event, events.Purged) and not event.count:
        return None
    field, details = found
    subject = str(getattr(event, field)) if field else ""
    return Occurrence(f"{number}", now, event.name, subject, details(event))
