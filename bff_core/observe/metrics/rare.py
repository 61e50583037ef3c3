"""What happens rarely, and how it is counted: a family of counters for each kind of event."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from bff_core import events

Amounts = Iterable[tuple[tuple[str, ...], int]]
"""Values of labels, and how much to add to their counter."""


class Rare(NamedTuple):
    """A family, and the function that returns what an event adds to it."""

    family: str
    amounts: Callable[[Any], Amounts]


def _one(family: str, *fields: str) -> Rare:
    """Count events by some of their fields."""
    return Rare(family, lambda event: [(tuple(str(getattr(event, one)) for one in fields), 1)])


def _shed(event: events.LoadShed) -> Amounts:
    return [((word,), amount) for word, amount in event.refused.items()]


def _hedged(result: str) -> Rare:
    return Rare("bff_hedges_total", lambda event: [((event.upstream, result), 1)])


def _closed(event: events.StreamEnded) -> Amounts:
    return [((event.upstream, event.outcome), 1)]


def _differences(event: events.MirrorCompared) -> Amounts:
    """Count places by their paths without the indexes of arrays."""
    paths = dict.fromkeys(re.sub(r"\[[0-9]+\]", "[*]", one) for one in event.differences)
    return [((event.route, path), 1) for path in paths]


RARE: Final[Mapping[type, tuple[Rare, ...]]] = {
    events.Retried: (_one("bff_retries_total", "upstream", "reason"),),
    events.RetryRefused: (_one("bff_retries_refused_total", "upstream", "reason"),),
    events.Hedged: (_hedged("sent"),),
    events.HedgeWon: (_hedged("won"),),
    events.HedgeRefused: (_hedged("refused"),),
    events.Coalesced: (_one("bff_coalesced_calls_total", "upstream"),),
    events.CallRejected: (_one("bff_calls_rejected_total", "upstream", "reason"),),
    events.BreakerChanged: (_one("bff_breaker_changes_total", "upstream", "state"),),
    events.Ejected: (_one("bff_endpoints_ejected_total", "upstream"),),
    events.ReplyReduced: (_one("bff_replies_reduced_total", "upstream"),),
    events.StreamEnded: (Rare("bff_streams_total", _closed),),
    events.TokenRefused: (_one("bff_tokens_refused_total", "upstream", "reason"),),
    events.SplitChosen: (_one("bff_split_requests_total", "route", "upstream"),),
    events.MirrorCompared: (
        _one("bff_mirrored_requests_total", "route", "upstream", "outcome"),
        Rare("bff_mirror_differences_total", _differences),
    ),
    events.MirrorDropped: (_one("bff_mirror_dropped_total", "route", "upstream", "reason"),),
    events.LoadShed: (
        Rare("bff_requests_shed_total", _shed),
        Rare("bff_screens_dimmed_total", lambda event: [((), event.dimmed)]),
    ),
    events.Refused: (_one("bff_requests_refused_total", "reason"),),
    events.SessionChanged: (_one("bff_sessions_total", "change"),),
    events.SagaEnded: (_one("bff_sagas_total", "saga", "outcome"),),
    events.SagaStuck: (_one("bff_sagas_stuck_total", "saga", "step"),),
    events.Purged: (Rare("bff_cache_purged_total", lambda event: [((event.by,), event.count)]),),
    events.Evicted: (Rare("bff_cache_evicted_total", lambda event: [((), event.count)]),),
    events.Crashed: (Rare("bff_exceptions_total", lambda _: [((), 1)]),),
    events.LoopBlocked: (Rare("bff_loop_blocked_total", lambda _: [((), 1)]),),
    events.PoliciesChanged: (Rare("bff_policy_reloads_total", lambda _: [(("loaded",), 1)]),),
    events.PoliciesRefused: (Rare("bff_policy_reloads_total", lambda _: [(("refused",), 1)]),),
    events.StoreChanged: (_one("bff_store_changes_total", "store", "state"),),
    events.AnswerForgotten: (
        Rare("bff_idempotency_records_lost_total", lambda event: [((event.reason,), event.count)]),
    ),
}
"""How events are counted that are not those of requests, parts and calls."""

UNLABELLED: Final = (
    "bff_cache_evicted_total",
    "bff_screens_dimmed_total",
    "bff_exceptions_total",
    "bff_loop_blocked_total",
)
"""The counters without labels: they begin at 0, so that Prometheus sees the first increase."""
