"""The level at which each kind of event is logged."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from bff_core import events


def _of_answer(event: events.RequestAnswered) -> int:
    """By status."""
    if event.status >= 500:
        return logging.ERROR
    return logging.WARNING if event.status >= 400 or event.error else logging.INFO


def _of_purge(event: events.Purged) -> int:
    """Info; debug if nothing was purged."""
    return logging.INFO if event.count else logging.DEBUG


def _of_part(event: events.PartEnded) -> int:
    """Warning; debug if the part ended well, or its error is reported by what awaits it."""
    is_known = event.is_raised or event.reason == "dependency" or event.state == "ok"
    return logging.DEBUG if is_known else logging.WARNING


def _of_stream(event: events.StreamEnded) -> int:
    """Debug; warning if the service broke off."""
    return logging.DEBUG if event.outcome in {"whole", "closed"} else logging.WARNING


def _of_comparison(event: events.MirrorCompared) -> int:
    """Info; debug if the replies are the same."""
    return logging.DEBUG if event.outcome == "same" else logging.INFO


def _of_health(event: events.HealthChanged) -> int:
    """Warning; info if the endpoint is up."""
    return logging.INFO if event.health == "up" else logging.WARNING


LEVELS: Final[Mapping[type, int | Callable[[Any], int]]] = {
    events.RequestStarted: logging.DEBUG,
    events.RequestShed: logging.DEBUG,
    events.PartStarted: logging.DEBUG,
    events.PartsEnded: logging.DEBUG,
    events.CallStarted: logging.DEBUG,
    events.CallEnded: logging.DEBUG,
    events.StreamEnded: _of_stream,
    events.AttemptStarted: logging.DEBUG,
    events.WorkStarted: logging.DEBUG,
    events.WorkEnded: logging.DEBUG,
    events.Attempted: logging.DEBUG,
    events.Coalesced: logging.DEBUG,
    events.CacheLookup: logging.DEBUG,
    events.Purged: _of_purge,
    events.Evicted: logging.DEBUG,
    events.Retried: logging.INFO,
    events.RetryRefused: logging.INFO,
    events.Hedged: logging.DEBUG,
    events.HedgeWon: logging.DEBUG,
    events.HedgeRefused: logging.DEBUG,
    events.BreakerChanged: logging.WARNING,
    events.CallRejected: logging.INFO,
    events.LimitMoved: logging.DEBUG,
    events.LocationDropped: logging.WARNING,
    events.Unauthorized: logging.INFO,
    events.TokenRefused: logging.WARNING,
    events.Ejected: logging.WARNING,
    events.Restored: logging.INFO,
    events.EndpointProbed: logging.DEBUG,
    events.HealthChanged: _of_health,
    events.Resolved: logging.INFO,
    events.ReplyReduced: logging.WARNING,
    events.SplitChosen: logging.DEBUG,
    events.MirrorCompared: _of_comparison,
    events.MirrorDropped: logging.DEBUG,
    events.PartEnded: _of_part,
    events.RequestAnswered: _of_answer,
    events.SagaEnded: logging.INFO,
    events.SagaStuck: logging.ERROR,
    events.SessionChanged: logging.INFO,
    events.StoreChanged: logging.WARNING,
    events.StoreRefused: logging.ERROR,
    events.LoadShed: logging.WARNING,
    events.AnswerForgotten: logging.WARNING,
    events.PoliciesChanged: logging.INFO,
    events.ConfigurationWarned: logging.WARNING,
    events.PoliciesRefused: logging.ERROR,
    events.ReloadSkipped: logging.WARNING,
    events.Opened: logging.INFO,
    events.FileOpened: logging.INFO,
    events.Refused: logging.INFO,
    events.LoopBlocked: logging.WARNING,
    events.LoopFreed: logging.WARNING,
    events.Drained: logging.INFO,
    events.WorkerEnded: logging.ERROR,
    events.OperatorActed: logging.WARNING,
    events.OperatorRefused: logging.WARNING,
    events.Crashed: logging.ERROR,
}
"""The level of each kind of event, or a function that returns it; of other kinds it is info."""


def level_of(event: events.AnyEvent) -> int:
    """Return the level of an event."""
    level = LEVELS.get(type(event), logging.INFO)
    return level if isinstance(level, int) else level(event)
