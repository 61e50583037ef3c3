"""Which fields of an event a line of the log has, without credentials."""

from functools import cache
from typing import Any, Final

from msgspec import NODEFAULT
from msgspec.structs import fields

from bff_core import events
from bff_core.observe.masking import masked
from bff_core.observe.request_ids import current_ids

MASKED: Final = frozenset({"path", "error", "reason", "stack", "headers"})
"""Fields with text that may quote what was sent."""

UNLOGGED = frozenset({"span", "leader", "scheme", "url"})
"""Fields of events for other sinks; lines of the log have the ids of their request."""


def logged_values(event: events.AnyEvent) -> dict[str, object]:
    """Return the fields of an event and the ids of its request, without empty values."""
    values: dict[str, object] = {}
    for name, default in _logged_fields(type(event)):
        value = getattr(event, name)
        if value or default is NODEFAULT or value not in (None, "", False):
            values[name] = _masked(value) if name in MASKED else value
    if not (values.get("request_id") and values.get("trace_id")):
        request_id, trace_id = current_ids()
        if request_id:
            values["request_id"] = values.get("request_id") or request_id
            values["trace_id"] = values.get("trace_id") or trace_id
    return values


def _masked(value: object) -> object:
    """Return a text, or the headers of a request, without credentials."""
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    return masked(value) if isinstance(value, str) else value


@cache
def _logged_fields(kind: Any) -> tuple[tuple[str, object], ...]:
    """Return the names and defaults of the fields that lines of a kind of event have."""
    return tuple((one.name, one.default) for one in fields(kind) if one.name not in UNLOGGED)
