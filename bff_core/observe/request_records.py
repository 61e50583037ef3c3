"""What a gateway process records of a request, and the bounded memory of the newest records.

`requests.since` and `requests.get` are the commands by which the console reads them.
"""

import os
import time
from collections import deque
from collections.abc import Mapping
from typing import Final, Literal, TypeVar

import msgspec

from bff_core.events import Events
from bff_core.observe.process_socket import Command, InvalidCommand
from bff_core.observe.record_sampling import RecordSampling

T = TypeVar("T")

MAX_NEWEST: Final = 500
"""The newest records that a process stores."""

MAX_APART: Final = 200
"""The newest degraded, slow and failed ones, each; many complete ones do not displace them."""

MAX_BYTES: Final = 4 << 20
"""The bytes of the degraded, slow and failed ones, each, and half of those of the newest."""

SLOW_SECONDS: Final = 0.5
"""From how many seconds on a request is slow."""

MAX_PAGE: Final = 1000
"""The records of one answer to `requests.since`."""

RecordState = Literal["complete", "degraded", "failed"]

MarkKind = Literal[
    "retry",
    "retry_refused",
    "hedge",
    "hedge_won",
    "hedge_refused",
    "joined",
    "rejected",
    "stale",
    "credentials_refused",
    "token_refused",
    "reduced",
    "ejected",
    "stream_ended",
]


class SpanMark(msgspec.Struct, omit_defaults=True, gc=False):
    """Something that a layer did within a span; times in seconds from the start of the request.

    `retry`: another attempt starts after `delay`, because of `reason` (a status or error code);
    `retry_refused`: none does (budget, deadline, retry_after). `hedge`: a second call was sent;
    `hedge_won`: it was answered first; `hedge_refused`: by the budget. `joined`: waits for an equal
    call, that of the request `request_id` of this process; `trace_id` and `span_id` are that
    call's. `rejected`: before it was sent (circuit_open, circuit_forced, bulkhead_full, queue).
    `stale`: a stale entry was served, `delay` seconds old; attempts that start later refresh it.
    `credentials_refused`: by the service. `token_refused`: by the token endpoint. `reduced`:
    tolerant reading left out `count` values. `ejected`: the endpoint, for `delay` seconds.
    `stream_ended`: a streamed body of `count` bytes, after `delay` seconds.
    """

    kind: MarkKind
    at: float
    reason: str = ""
    delay: float = 0.0
    count: int = 0
    request_id: str = ""
    trace_id: str = ""
    span_id: str = ""


class SpanRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """A part, a call to a service, an attempt of a call, or background work; times in seconds.

    `name` is that of the part, the operation of the call (`GET /users/{id}`), the endpoint of the
    attempt or the function of the work. `owner` is the composition or the service. `within` is the
    index of the span around it, -1 for the request. `start` counts from the start of the request;
    `seconds` is -1 for a span that did not end before the request did. `outcome` is a part's state,
    a status, an error code, or done, cancelled or failed of work. `source` is where the reply of a
    call is from: upstream, cache or stale, `age` its age, `size` the bytes of its body, 0 for an
    error and a stream. `url` is the base URL of an endpoint.
    """

    kind: Literal["part", "call", "attempt", "work"]
    name: str
    owner: str
    start: float
    within: int = -1
    seconds: float = -1.0
    outcome: str = ""
    reason: str = ""
    source: str = ""
    error: str = ""
    age: float = 0.0
    is_critical: bool = False
    marks: list[SpanMark] = []
    span_id: str = ""
    url: str = ""
    size: int = 0


class RequestRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """A request that was answered: `time` is Unix time, `size` counts the bytes of the body.

    `state` is degraded if a part has a substitute or nothing, failed from status 500 up and for an
    answer that broke off. `screen` is the composition of its first part. `viewer` is the keyed hash
    of the viewer, empty for anonymous ones. `headers` are those of the request, redacted; `query`
    has its names, and in development its values. `is_cached` is whether the view cache had the
    answer. `has_spans` is false for a degraded or failed request that was not sampled: `spans` then
    are its degraded parts only. `is_sampled` is the flag of its trace.
    `route_id` is that of a proxied route.
    `fields` are the root fields of a GraphQL operation, `shown_fields` the same with the names of
    their arguments. `number` grows with each record of the process `pid`. `dropped` counts the
    requests before it that were not sent to `bff dev`, since it was too slow.
    """

    time: float
    method: str
    request_id: str
    route: str = ""
    path: str = ""
    status: int = 0
    seconds: float = 0.0
    size: int = 0
    reason: str = ""
    error: str = ""
    is_truncated: bool = False
    is_cached: bool = False
    dropped: int = 0
    spans: list[SpanRecord] = []
    gateway: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    state: RecordState = "complete"
    screen: str = ""
    viewer: str = ""
    query: str = ""
    headers: list[tuple[str, str]] = []
    owner: str = ""
    scheme: str = ""
    tracestate: str = ""
    has_spans: bool = True
    is_sampled: bool = True
    fields: list[str] = []
    shown_fields: list[str] = []
    route_id: str = ""
    number: int = 0
    pid: int = 0


class RecordsSince(msgspec.Struct):
    """The body of `requests.since`: the newest `limit` records after the cursor, 0 for all."""

    cursor: int = 0
    limit: int = MAX_NEWEST


class RecordPage(msgspec.Struct):
    """The answer to `requests.since`: records after the cursor, oldest first.

    The next cursor is `cursor`. `dropped` records after the old one are no longer stored, or were
    beyond the limit. A record may come a second time, with the background work that ended after
    the answer: the later one counts. `rate` is requests per second in the last seconds, `sampled`
    is 1 in how many complete requests are stored. A cursor is valid for one `pid` and `started`.
    """

    pid: int
    started: float
    cursor: int
    dropped: int
    rate: float
    sampled: int
    records: list[RequestRecord]


class _EncodedPage(msgspec.Struct):
    """A `RecordPage` whose records are encoded already."""

    pid: int
    started: float
    cursor: int
    dropped: int
    rate: float
    sampled: int
    records: list[msgspec.Raw]


class _Stored(msgspec.Struct, gc=False):
    number: int
    request_id: str
    line: bytes


class _Ring:
    """The newest records of some kind, bounded by their number and their bytes."""

    def __init__(self, size: int, max_bytes: int) -> None:
        self.items: deque[_Stored] = deque()
        self._size, self._max_bytes = size, max_bytes
        self._bytes = 0

    def add(self, one: _Stored) -> None:
        """Add a record; the oldest ones are dropped if there are too many."""
        self.items.append(one)
        self._bytes += len(one.line)
        while len(self.items) > self._size or (
            self._bytes > self._max_bytes and len(self.items) > 1
        ):
            self._bytes -= len(self.items.popleft().line)


class RequestRecords:
    """The newest records of this process, encoded; degraded, slow and failed ones apart."""

    def __init__(
        self,
        *,
        sampling: RecordSampling | None = None,
        newest: int = MAX_NEWEST,
        apart: int = MAX_APART,
        slow_seconds: float = SLOW_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.sampling = sampling or RecordSampling()
        self._slow_seconds = slow_seconds
        self._newest = _Ring(newest, 2 * max_bytes)
        self._apart = {name: _Ring(apart, max_bytes) for name in ("degraded", "failed", "slow")}
        self._started = time.time()
        self._number = 0

    def is_stored_anyway(self, record: RequestRecord) -> bool:
        """Whether a record is stored although its request was not sampled."""
        return record.state != "complete" or record.seconds >= self._slow_seconds

    def add(self, record: RequestRecord) -> None:
        """Store a record; the oldest of its kind is dropped if there are too many."""
        self._number += 1
        record.number, record.pid = self._number, os.getpid()
        stored = _Stored(self._number, record.request_id, msgspec.json.encode(record))
        self._newest.add(stored)
        if record.state != "complete":
            self._apart[record.state].add(stored)
        if record.seconds >= self._slow_seconds:
            self._apart["slow"].add(stored)

    def since(self, cursor: int, limit: int) -> bytes:
        """Return the newest records after a cursor: an encoded `RecordPage`."""
        after = {one.number: one for one in self._all() if one.number > cursor}
        chosen = [after[number] for number in sorted(after)][-limit:]
        page = _EncodedPage(
            pid=os.getpid(),
            started=self._started,
            cursor=self._number,
            dropped=max(self._number - max(cursor, 0) - len(chosen), 0),
            rate=self.sampling.rate,
            sampled=self.sampling.one_in,
            records=[msgspec.Raw(one.line) for one in chosen],
        )
        return msgspec.json.encode(page)

    def get(self, request_id: str) -> bytes | None:
        """Return the encoded record of a request; None if it is not stored (any more)."""
        found = [one for one in self._all() if one.request_id == request_id]
        return max(found, key=lambda one: one.number).line if found else None

    def _all(self) -> list[_Stored]:
        return [one for ring in (self._newest, *self._apart.values()) for one in ring.items]

    def commands(self) -> dict[str, Command]:
        """Return the commands that read the records; see `serve_commands`.

        `requests.since` takes a `RecordsSince` and returns a `RecordPage`. `requests.get` takes
        `{"id": request id}` and returns the `RequestRecord`, or `null` if it is not stored.
        """

        async def since(body: bytes) -> bytes:
            command = _decoded(body or b"{}", RecordsSince)
            return self.since(command.cursor, min(max(command.limit, 1), MAX_PAGE))

        async def get(body: bytes) -> bytes:
            return self.get(_decoded(body, _Id).id) or b"null"

        return {"requests.since": since, "requests.get": get}


class _Id(msgspec.Struct):
    id: str


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidCommand(str(error)) from None


def records_of(events: Events) -> RequestRecords | None:
    """Return the records of a gateway, `gateway.events`; None if it records no requests."""
    found = (getattr(sink, "records", None) for sink in events.sinks)
    return next((one for one in found if isinstance(one, RequestRecords)), None)


def request_commands(events: Events) -> Mapping[str, Command]:
    """Return the commands of a gateway's records; empty if it records no requests."""
    records = records_of(events)
    return {} if records is None else records.commands()
