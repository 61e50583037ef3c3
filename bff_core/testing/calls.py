"""The calls that the services of a gateway under test received, and which ran in parallel."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count, pairwise, product
from typing import overload

from bff_core.call import Call
from bff_core.clock import Clock
from bff_core.streamed_body import StreamedBody


@dataclass(slots=True, eq=False)
class ReceivedCall:
    """One call that a service received; a call that is sent again is a call of its own.

    `target` is the path with the query, `operation` its template ("GET /users/{id}"). `headers`
    have names in lower case. `began` and `ended` are seconds since the client was opened; `ended`
    is None while the service has not answered. `status` is None unless it answered with one.
    `error` names the exception without a reply: `TransportFailed`, or `CancelledError` for a call
    that the gateway gave up.
    """

    service: str
    method: str
    target: str
    operation: str
    headers: Mapping[str, str]
    began: float
    body: bytes = b""
    ended: float | None = None
    status: int | None = None
    error: str | None = None
    _first: int = field(default=0, repr=False)
    _last: int | None = field(default=None, repr=False)

    @property
    def duration(self) -> float:
        """The seconds between the call and the answer; infinite without one."""
        return float("inf") if self.ended is None else self.ended - self.began

    def json(self) -> object:
        """Return the JSON value of the body."""
        value: object = json.loads(self.body)
        return value

    def ends_before(self, other: "ReceivedCall") -> bool:
        """Whether it was answered before another call began."""
        return self._last is not None and self._last < other._first  # noqa: SLF001 # same class

    def overlaps(self, other: "ReceivedCall") -> bool:
        """Whether each of two calls began before the other one was answered."""
        return not (self.ends_before(other) or other.ends_before(self))

    def __str__(self) -> str:
        outcome = self.status or self.error or "not answered"
        until = "" if self.ended is None else f"{self.ended:.3f}"
        times = f"{self.began:.3f}-{until} s"
        return f"{self.service}: {self.method} {self.target}  {outcome}  {times}"


class Calls(Sequence[ReceivedCall]):
    """The calls to all services in the order of their beginning; `calls["users"]` are those to one.

    `str()` of it is a line for each call.
    """

    def __init__(self, services: Sequence[str], clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._opened = clock()
        self._order = count(1)
        self._calls: list[ReceivedCall] = []

    @overload
    def __getitem__(self, key: str, /) -> Sequence[ReceivedCall]: ...
    @overload
    def __getitem__(self, key: int, /) -> ReceivedCall: ...
    @overload
    def __getitem__(self, key: slice, /) -> Sequence[ReceivedCall]: ...
    def __getitem__(self, key: str | int | slice, /) -> ReceivedCall | Sequence[ReceivedCall]:
        if not isinstance(key, str):
            return self._calls[key]
        self._check(key)
        return [one for one in self._calls if one.service == key]

    def __len__(self) -> int:
        return len(self._calls)

    def __str__(self) -> str:
        return "\n".join(map(str, self._calls)) or "no calls"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many calls each service received, without services that received none."""
        return Counter(one.service for one in self._calls)

    def clear(self) -> None:
        """Forget the calls so far."""
        self._calls.clear()

    def in_parallel(self, first: str, second: str, /, *others: str) -> bool:
        """Whether each two of these services had calls in flight at the same time."""
        return not list(self._not_parallel((first, second, *others)))

    def assert_parallel(self, first: str, second: str, /, *others: str) -> None:
        """Fail unless each two of these services had calls in flight at the same time."""
        for one, other in self._not_parallel((first, second, *others)):
            raise AssertionError(
                f"{one} and {other} were not called in parallel: one of them was answered before "
                f"the other was called\n{self}"
            )

    def assert_sequential(self, first: str, second: str, /, *others: str) -> None:
        """Fail unless each of these services was answered before the next one was called."""
        names = (first, second, *others)
        for one, other in pairwise(names):
            for earlier, later in self._pairs(one, other):
                if not earlier.ends_before(later):
                    raise AssertionError(
                        f"{one} was not answered before {other} was called\n{self}"
                    )

    def begin(self, call: Call) -> ReceivedCall:
        """Record a call that begins; the gateway's transport calls it."""
        headers = {name.decode(): value.decode("latin-1") for name, value in call.headers}
        received = ReceivedCall(
            call.upstream,
            call.method,
            call.target,
            call.operation,
            headers,
            self._now(),
            b"" if isinstance(call.body, StreamedBody) else call.body,
            _first=next(self._order),
        )
        self._calls.append(received)
        return received

    def end(
        self, received: ReceivedCall, *, status: int | None = None, error: str | None = None
    ) -> None:
        """Record how a call ended."""
        received.ended, received.status, received.error = self._now(), status, error
        received._last = next(self._order)  # noqa: SLF001 # same module

    def _now(self) -> float:
        return self._clock() - self._opened

    def _not_parallel(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        for one, other in combinations(names, 2):
            pairs = self._pairs(one, other)
            if not any(first.overlaps(second) for first, second in pairs):
                yield one, other

    def _pairs(self, one: str, other: str) -> Iterable[tuple[ReceivedCall, ReceivedCall]]:
        """Return each call to one service with each call to another, or with later ones to it."""
        if one == other:
            return combinations(self._some(one), 2)
        return product(self._some(one), self._some(other))

    def _some(self, service: str) -> Sequence[ReceivedCall]:
        calls = self[service]
        if not calls:
            raise AssertionError(f"{service} was not called\n{self}")
        return calls

    def _check(self, service: str) -> None:
        if service not in self._services:
            known = ", ".join(sorted(self._services))
            raise AssertionError(f"the gateway has no service {service!r}: it has {known}")
