"""Reports that one shared store became unavailable, is back, or refuses commands."""

from math import inf
from typing import Final

from bff_core.clock import Clock
from bff_core.events import Events, StoreChanged, StoreRefused

REPORT_SECONDS: Final = 60.0
"""The time between two reports about refusals of one kind."""

MAX_REASON_LENGTH: Final = 200
"""Longer reasons are truncated (characters)."""


class StoreReports:
    """Emits an event for each change, not for each failure."""

    def __init__(self, store: str, *, events: Events, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._is_away = False
        self._reported_at: dict[str, float] = {}

    def state(self, *, is_away: bool, reason: str) -> None:
        """Report once that the store is unavailable, and once that it is back."""
        if is_away == self._is_away:
            return
        self._is_away = is_away
        if self._events.sinks and is_away:
            self._events.emit(StoreChanged(self._store, "open", reason))
        elif self._events.sinks:
            self._events.emit(StoreChanged(self._store, "closed"))

    def refusal(self, reason: str) -> None:
        """Report a refusal, at most once a minute for each kind: the first word of the reason."""
        kind, now = reason.partition(" ")[0], self._clock()
        if self._events.sinks and now - self._reported_at.get(kind, -inf) >= REPORT_SECONDS:
            self._reported_at[kind] = now
            self._events.emit(StoreRefused(self._store, reason))


def reason_of(error: BaseException) -> str:
    """Return an error's text without the command's arguments, which Redis may repeat."""
    code = getattr(error, "status_code", None)  # redis-py takes it out of the text
    text = str(error).partition(", with args beginning with")[0][:MAX_REASON_LENGTH]
    return " ".join(filter(None, (code, text))) or type(error).__name__
