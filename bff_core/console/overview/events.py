"""The events of the overview: what happened, in words, with cause and actor."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final

from bff_core.console.metrics.window import GatewayWindow
from bff_core.console.model import EventRow, ScreenFigures, Severity
from bff_core.console.process_state import OPERATION
from bff_core.console.wording import duration
from bff_core.observe.metrics.occurrences import Occurrence

MAX_EVENTS: Final = 50

TOGETHER_SECONDS: Final = 5.0
"""Equal events of several processes within this time are one."""

ACTED: Final = "operator.acted"

OPERATOR: Final = "operator"

CHANGES: Final = frozenset({"breaker.changed", "endpoint.ejected", "endpoint.restored"})
"""Changes of a service that operators can make as well."""

Details = Mapping[str, str]

_BREAKERS: Final[Mapping[str, tuple[Severity, str]]] = {
    "open": ("failed", "breaker of **{0}** is open: too many calls failed"),
    "closed": ("ok", "breaker of **{0}** is closed again"),
}


def events_of(
    windows: Sequence[GatewayWindow],
    screens: Iterable[ScreenFigures],
    actions: Iterable[EventRow] = (),
) -> list[EventRow]:
    """Return what happened, newest first; `actions` are what people did."""
    done = list(actions)
    rows = [row for one in windows for row in _of_gateway(one, done)]
    rows += [row for one in screens if (row := _spent(one, windows)) is not None]
    rows += done
    return sorted(rows, key=lambda row: -row.time)[:MAX_EVENTS]


def _of_gateway(window: GatewayWindow, actions: Sequence[EventRow]) -> list[EventRow]:
    rows: list[EventRow] = []
    newest: dict[str, float] = {}
    done = _Done((one for _, one in window.occurrences), actions)
    for pid, one in sorted(window.occurrences, key=lambda each: each[1].time):
        described = _described(one)
        if described is None or done.says(one):
            continue
        state, text = described
        if one.time - newest.get(text, 0.0) < TOGETHER_SECONDS:
            continue
        newest[text] = one.time
        rows.append(
            EventRow(
                id=f"{window.gateway}-{pid}-{one.id}",
                time=one.time,
                state=state,
                subject=window.gateway,
                text=text,
                actor=one.details.get("actor") or _purger(one),
            )
        )
    return rows


def _purger(one: Occurrence) -> str:
    return OPERATOR if one.details.get("by") == OPERATOR else ""


def _purged_first(one: Occurrence) -> str:
    """Return the tags that name a purge: events of operators have the first three."""
    return ", ".join(one.details.get("tags", "").split(", ")[:3])


class _Done:
    """What people did: it has effects with events of their own, which say the same.

    The row of the person is shown for changes of a service, and that of the purge for a purge.
    """

    def __init__(self, occurrences: Iterable[Occurrence], actions: Iterable[EventRow]) -> None:
        self._rows, self._operations = _Times(), _Times()
        self._acted, self._purges = _Times(), _Times()
        for row in sorted(actions, key=lambda each: each.time):
            self._rows.add((row.subject, row.text), row.time)
            if row.id.startswith(OPERATION):
                self._operations.add(row.subject, row.time)
        for one in sorted(occurrences, key=lambda each: each.time):
            if one.kind == ACTED:
                self._acted.add(one.subject, one.time)
            elif _purger(one):
                self._purges.add(_purged_first(one), one.time)

    def says(self, one: Occurrence) -> bool:
        """Whether another event of the same time says what `one` does."""
        if one.kind == ACTED:
            row = one.subject, one.details.get("action", "")
            return self._rows.has(row, one.time) or self._purges.has(one.subject, one.time)
        if one.kind in CHANGES:
            known = self._acted, self._operations
            return any(each.has(one.subject, one.time) for each in known)
        return False


class _Times:
    """When things happened, by what they are; they are added oldest first."""

    def __init__(self) -> None:
        self._found: dict[Hashable, list[float]] = {}

    def add(self, key: Hashable, time: float) -> None:
        self._found.setdefault(key, []).append(time)

    def has(self, key: Hashable, time: float) -> bool:
        """Whether it happened at about this time."""
        times = self._found.get(key, ())
        place = bisect_left(times, time - TOGETHER_SECONDS)
        return place < len(times) and times[place] < time + TOGETHER_SECONDS


def _spent(screen: ScreenFigures, windows: Sequence[GatewayWindow]) -> EventRow | None:
    """Return the event of a screen whose error budget is spent."""
    if screen.budget_left is None or screen.budget_left > 0:
        return None
    now = next(one.time for one in windows if one.gateway == screen.gateway)
    share = "" if screen.complete is None else f": {100 * screen.complete:.1f} % complete"
    return EventRow(
        id=f"budget-{screen.gateway}-{screen.route}",
        time=screen.since or now,
        state="failed",
        subject=screen.gateway,
        text=f"budget of **{screen.screen}** is spent{share}",
    )


def _described(one: Occurrence) -> tuple[Severity, str] | None:
    """Return state and text of an event; None for one of no interest."""
    if one.kind == "breaker.changed":
        state, text = _BREAKERS[one.details.get("state", "closed")]
        return state, text.format(one.subject)
    found = _TEXTS.get(one.kind)
    return None if found is None else found(one.subject, one.details)


def _seconds(text: str) -> str:
    """Return a number of seconds as "251 ms"; another text as it is."""
    try:
        return duration(float(text))
    except ValueError:
        return text or "a while"


def _store(subject: str, details: Details) -> tuple[Severity, str]:
    if details.get("state") == "closed":
        return "ok", f"store **{subject}** is available again"
    return "failed", f"store **{subject}** is unavailable: {details.get('reason', '')}"


def _resolved(subject: str, details: Details) -> tuple[Severity, str]:
    if details.get("error"):
        return "failed", f"the name of **{subject}** is not resolved: {details['error']}"
    return "ok", f"**{subject}** has other endpoints: {details.get('endpoints', '')}"


def _shed(_: str, details: Details) -> tuple[Severity, str]:
    refused, dimmed = details.get("refused", "0"), details.get("dimmed", "0")
    if refused == "0":
        return "fallback", f"**load shedding**: {dimmed} screens without optional parts"
    return "failed", f"**load shedding**: {refused} requests refused"


def _purged(_: str, details: Details) -> tuple[Severity, str]:
    return "ok", f"tag **{details.get('tags')}** purged, {details.get('count')} replies dropped"


def _stuck(subject: str, details: Details) -> tuple[Severity, str]:
    step, reason = details.get("step", ""), details.get("reason", "")
    return "failed", f"saga **{subject}** is stuck at `{step}`: {reason}"


def _health(subject: str, details: Details) -> tuple[Severity, str]:
    endpoint, reason = details.get("endpoint"), details.get("reason")
    if details.get("health") == "up":
        return "ok", f"endpoint {endpoint} of **{subject}** is up again"
    return "failed", f"endpoint {endpoint} of **{subject}** is down: {reason}"


def _acted(subject: str, details: Details) -> tuple[Severity, str]:
    return "ok", f"**{subject}**: {details.get('action', '')}"


def _refused(subject: str, details: Details) -> tuple[Severity, str]:
    attempts, client = details.get("attempts"), details.get("client")
    tokens = "a **wrong operator token**" if attempts == "1" else f"{attempts} **wrong tokens**"
    return "fallback", f"{tokens} from {client} at {subject}"


_TEXTS: Final[Mapping[str, Callable[[str, Details], tuple[Severity, str]]]] = {
    "endpoint.ejected": lambda subject, details: (
        "failed",
        f"endpoint {details.get('endpoint')} of **{subject}** is ejected",
    ),
    "endpoint.restored": lambda subject, details: (
        "ok",
        f"endpoint {details.get('endpoint')} of **{subject}** gets calls again",
    ),
    "endpoint.health_changed": _health,
    "endpoints.resolved": _resolved,
    "token.refused": lambda subject, details: (
        "failed",
        f"no token for **{subject}**: {details.get('reason')}",
    ),
    "store.changed": _store,
    "store.refused": lambda subject, details: (
        "failed",
        f"store **{subject}** refuses commands: {details.get('reason')}",
    ),
    "load.shed": _shed,
    "event_loop.blocked": lambda _, details: (
        "fallback",
        f"the **event loop** was blocked for {_seconds(details.get('waited', ''))}",
    ),
    "policies.changed": lambda _, details: ("ok", f"**policies** changed: {details['changes']}"),
    "policies.refused": lambda _, details: (
        "failed",
        f"**policies** not loaded: {details.get('reason')}",
    ),
    "cache.purged": _purged,
    "saga.stuck": _stuck,
    "worker.ended": lambda _, details: (
        "failed",
        f"a **worker** ended ({details.get('cause')}) and is replaced",
    ),
    ACTED: _acted,
    "operator.refused": _refused,
    "server.started": lambda _, details: ("ok", f"**started** at {details.get('address')}"),
}
