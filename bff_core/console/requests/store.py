"""The requests that the console has read from the processes of its gateways, in bounded memory."""

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bff_core.clock import Clock, monotonic
from bff_core.console.model import PartState, RequestRow
from bff_core.console.model.states import SHOWN_STATES
from bff_core.console.sources import ProcessFailure, Sources
from bff_core.observe.request_records import (
    SLOW_SECONDS,
    RecordPage,
    RecordsSince,
    RequestRecord,
    SpanRecord,
)

MAX_NEWEST: Final = 1000
MAX_APART: Final = 400
"""The newest requests, and the newest degraded, failed and slow ones, each."""

MAX_SPANS: Final = 100_000
"""Spans of all stored requests; the oldest requests are dropped if there are more."""

MAX_PULLED: Final = 200
"""Records that one process sends at a time; the rest is counted as dropped."""

MIN_PULL_SECONDS: Final = 0.1
"""Answers of the API read the processes again after this time."""


@dataclass(slots=True, eq=False)
class StoredRequest:
    """A record, its line in the list, and how many complete requests it stands for."""

    record: RequestRecord
    row: RequestRow
    sampled: int
    order: int


@dataclass(slots=True)
class _Cursor:
    started: float = 0.0
    number: int = 0


@dataclass(slots=True)
class _Ring:
    """The newest requests of some kind: at most `size`."""

    size: int
    items: deque[StoredRequest] = field(default_factory=deque)

    def add(self, one: StoredRequest) -> StoredRequest | None:
        """Add a request; return the one that had to go."""
        self.items.append(one)
        return self.items.popleft() if len(self.items) > self.size else None


class RequestStore:
    """The newest requests of all gateways; degraded, failed and slow ones are stored apart.

    `rate` is requests per second of all processes; 1 in `sampled` complete requests is recorded.
    """

    def __init__(self, sources: Sources, *, clock: Clock = monotonic) -> None:
        self._sources = sources
        self._clock = clock
        self._cursors: dict[tuple[str, str], _Cursor] = {}
        self._rates: dict[tuple[str, str], tuple[float, int]] = {}
        self._newest = _Ring(MAX_NEWEST)
        self._apart = {name: _Ring(MAX_APART) for name in ("degraded", "failed", "slow")}
        self._by_key: dict[tuple[str, str], StoredRequest] = {}
        self._by_id: dict[str, StoredRequest] = {}
        self._holders: dict[int, int] = {}
        self._order = self._spans = 0
        self._pulled_at = -math.inf
        self._pulling = asyncio.Lock()
        self.failed: list[ProcessFailure] = []
        self.dropped = 0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return sum(rate for rate, _ in self._rates.values())

    @property
    def sampled(self) -> int:
        """1 in how many complete requests is recorded now, where fewest are."""
        return max((sampled for _, sampled in self._rates.values()), default=1)

    @property
    def order(self) -> int:
        """A number that grows with each request that is stored."""
        return self._order

    def all(self) -> Iterator[StoredRequest]:
        """Yield all stored requests, each once."""
        yield from self._by_key.values()

    def get(self, request_id: str) -> StoredRequest | None:
        """Return a request; None if it is not stored, or no more."""
        return self._by_id.get(request_id)

    async def pull(self, *, is_fresh: bool = False) -> None:
        """Read what the processes recorded since the last time.

        Unless it has to be `is_fresh`, what was read a moment ago is good enough.
        """
        async with self._pulling:
            if not is_fresh and self._clock() - self._pulled_at < MIN_PULL_SECONDS:
                return
            self._pulled_at = self._clock()
            self.failed = []
            await asyncio.gather(*(self._pull(name) for name in self._sources.names))

    async def _pull(self, gateway: str) -> None:
        def since(process: str) -> bytes:
            cursor = self._cursors.get((gateway, process), _Cursor())
            return msgspec.json.encode(RecordsSince(cursor.number, MAX_PULLED))

        answers = await self._sources.send_all(gateway, "requests.since", since)
        self.failed += answers.failed
        alive = {one.process for one in answers.answered} | {one.process for one in answers.failed}
        for key in [key for key in self._cursors if key[0] == gateway and key[1] not in alive]:
            del self._cursors[key], self._rates[key]
        for one in answers.answered:
            self._take(gateway, one.process, one.decoded(RecordPage))

    def _take(self, gateway: str, process: str, page: RecordPage) -> None:
        cursor = self._cursors.setdefault((gateway, process), _Cursor(page.started))
        if cursor.started != page.started:  # another process with the same id
            self._cursors[gateway, process] = _Cursor(page.started)
            self._rates[gateway, process] = page.rate, page.sampled
            return
        self.dropped += page.dropped if cursor.number else 0
        cursor.number = page.cursor
        self._rates[gateway, process] = page.rate, page.sampled
        for record in page.records:
            self._add(gateway, record, page.sampled)

    def _add(self, gateway: str, record: RequestRecord, sampled: int) -> None:
        key = _key(gateway, record)
        known = self._by_key.get(key)
        if known is not None:  # it comes again with the background work after its answer
            self._spans += len(record.spans) - len(known.record.spans)
            known.record = record
            return
        other = self._by_id.get(record.request_id)
        name = record.request_id
        if other is not None:  # a client sent the same id again
            name = f"{record.request_id}~{gateway}-{record.pid}-{record.number}"
        self._order += 1
        stored = StoredRequest(record, row_of(gateway, record, name), sampled, self._order)
        self._by_key[key] = self._by_id[name] = stored
        rings = [self._newest]
        if record.state != "complete":
            rings.append(self._apart[record.state])
        if record.seconds >= SLOW_SECONDS:
            rings.append(self._apart["slow"])
        self._holders[stored.order] = len(rings)
        self._spans += len(record.spans)
        for ring in rings:
            self._drop(ring.add(stored))
        self._shrink()

    def _shrink(self) -> None:
        """Drop the oldest requests while there are too many spans."""
        while self._spans > MAX_SPANS:
            rings = [ring for ring in (self._newest, *self._apart.values()) if ring.items]
            oldest = min(rings, key=lambda ring: ring.items[0].order)
            self._drop(oldest.items.popleft())

    def _drop(self, one: StoredRequest | None) -> None:
        """Forget a request once no ring has it."""
        if one is None:
            return
        self._holders[one.order] -= 1
        if not self._holders[one.order]:
            del self._holders[one.order]
            self._spans -= len(one.record.spans)
            del self._by_key[_key(one.row.gateway, one.record)]
            del self._by_id[one.row.id]


def _key(gateway: str, record: RequestRecord) -> tuple[str, str]:
    return gateway, record.span_id or f"{record.pid}-{record.number}"


def row_of(gateway: str, record: RequestRecord, name: str) -> RequestRow:
    """Return the line of a record; `name` is its id in the console."""
    return RequestRow(
        id=name,
        gateway=gateway,
        time=record.time,
        method=record.method,
        route=", ".join(record.shown_fields or record.fields) or record.route or record.path,
        status=record.status,
        state=record.state,
        seconds=record.seconds,
        size=record.size,
        screen=record.screen,
        route_id=record.route_id,
        parts=[state for one in record.spans if (state := _part_state(one)) is not None],
        is_cached=record.is_cached,
        viewer=record.viewer,
    )


def _part_state(span: SpanRecord) -> PartState | None:
    return SHOWN_STATES.get(span.outcome) if span.kind == "part" else None
