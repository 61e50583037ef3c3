"""The list of requests: which of the stored ones match a filter, the newest first."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from bff_core.console.answers import ConsoleProblem
from bff_core.console.model import RequestList
from bff_core.console.requests.store import RequestStore, StoredRequest
from bff_core.observe.request_records import SLOW_SECONDS

MAX_ROWS: Final = 200
DEFAULT_ROWS: Final = 100

WINDOW_SECONDS: Final = 60.0
"""The time whose requests count for the share of degraded ones."""

MAX_TEXT: Final = 200
"""Characters of the text to search."""

_CURSOR: Final = re.compile(r"([0-9]{1,12}\.[0-9]{6})-([0-9]{1,12})", re.ASCII)
_STATUS: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)", re.ASCII)
_STATES: Final = frozenset({"complete", "degraded", "failed"})
_TRUE: Final = frozenset({"1", "true"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """What to list; empty fields match all requests.

    `status` is a status or a class ("5xx"). `text` is looked for in ids, paths, names of screens,
    parts and services, errors and viewers. With `is_screen` requests that built no screen are left
    out: scripts, styles, refusals. `before` is the time and order of the last line of the page
    before.
    """

    gateway: str = ""
    route: str = ""
    status: str = ""
    states: frozenset[str] = frozenset()
    text: str = ""
    is_slow: bool = False
    is_screen: bool = False
    before: tuple[float, int] | None = None
    limit: int = DEFAULT_ROWS

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Return the filter of a query; raises `ConsoleProblem` (422) for a wrong value."""
        states = frozenset(filter(None, query.get("state", "").split(",")))
        status, limit = query.get("status", ""), query.get("limit", str(DEFAULT_ROWS))
        if not states <= _STATES:
            raise _wrong("state", "complete, degraded or failed, separated by commas")
        if status and not _STATUS.fullmatch(status):
            raise _wrong("status", "a status such as 404, or a class such as 5xx")
        if not (
            limit.isascii() and limit.isdigit() and len(limit) < 10 and 1 <= int(limit) <= MAX_ROWS
        ):
            raise _wrong("limit", f"a number from 1 to {MAX_ROWS}")
        return cls(
            gateway=query.get("gateway", ""),
            route=query.get("route", ""),
            status=status,
            states=states,
            text=query.get("text", "")[:MAX_TEXT].strip().lower(),
            is_slow=query.get("slow", "").lower() in _TRUE,
            is_screen=query.get("screens", "").lower() in _TRUE,
            before=_before(query.get("before", "")),
            limit=int(limit),
        )

    def matches(self, one: StoredRequest) -> bool:
        """Whether a request is to be listed."""
        row = one.row
        return (
            (not self.gateway or row.gateway == self.gateway)
            and (not self.route or self.route in _routes(one))
            and (not self.status or _has_status(row.status, self.status))
            and (not self.states or row.state in self.states)
            and (not self.is_slow or row.seconds >= SLOW_SECONDS)
            and (not self.is_screen or bool(row.screen))
            and (self.before is None or _place(one) < self.before)
            and (not self.text or self.text in _words(one))
        )


def listed(store: RequestStore, wanted: RequestFilter, now: float) -> RequestList:
    """Return the newest stored requests that match; `now` is Unix time."""
    found = sorted((one for one in store.all() if wanted.matches(one)), key=_place, reverse=True)
    page = found[: wanted.limit]
    has_more = len(found) > len(page)
    return RequestList(
        rate=store.rate,
        sampled=store.sampled,
        degraded=_degraded(store.all(), wanted.gateway, now),
        rows=[one.row for one in page],
        older="{:.6f}-{}".format(*_place(page[-1])) if has_more else "",
    )


def _degraded(stored: Iterable[StoredRequest], gateway: str, now: float) -> float | None:
    """Return the share of degraded requests; a complete one that was sampled counts for others."""
    recent = [
        one
        for one in stored
        if now - one.row.time <= WINDOW_SECONDS and gateway in {"", one.row.gateway}
    ]
    if not recent:
        return None
    complete = sum(one.sampled for one in recent if one.row.state == "complete")
    degraded = sum(one.row.state == "degraded" for one in recent)
    failed = sum(one.row.state == "failed" for one in recent)
    return degraded / (complete + degraded + failed)


def _place(one: StoredRequest) -> tuple[float, int]:
    return round(one.row.time, 6), one.order


def _words(one: StoredRequest) -> str:
    record, row = one.record, one.row
    spans = (f"{span.name} {span.owner} {span.reason} {span.error}" for span in record.spans)
    own = (row.id, record.trace_id, row.method, row.route, record.path, row.screen, row.viewer)
    return " ".join((*own, row.route_id, record.error, record.reason, *spans)).lower()


def _routes(one: StoredRequest) -> Iterable[str]:
    """Return how pages name what a request was for: its route, or the fields of GraphQL."""
    record, row = one.record, one.row
    routes = (row.route, record.route)
    return (
        *routes,
        *(f"{row.method} {route}" for route in routes),
        *record.fields,
        *record.shown_fields,
        *([record.route_id] if record.route_id else []),
        ", ".join(record.fields),
    )


def _has_status(status: int, wanted: str) -> bool:
    return str(status)[:1] == wanted[0] if wanted.endswith("xx") else str(status) == wanted


def _before(cursor: str) -> tuple[float, int] | None:
    if not cursor:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise _wrong("before", "the value `older` of an earlier answer")
    return float(match[1]), int(match[2])


def _wrong(name: str, right: str) -> ConsoleProblem:
    return ConsoleProblem(422, f"{name!r} is not valid", f"It is {right}.")
