"""How long a view may take at most, by the timeouts of its parts and of the services they call."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isinf

from bff_core.inspection.reader import parts_of
from bff_core.inspection.steps import (
    InOrder,
    Maybe,
    PartRef,
    PartStart,
    PartWait,
    Repeated,
    Request,
    SagaRun,
    ScreenMade,
    Step,
    Together,
    Unknown,
)
from bff_core.policy.upstream.policy import Policy
from bff_core.saga.saga import Saga
from bff_core.upstream.client import Upstream

Policies = Mapping[type[Upstream], Policy]


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in seconds since the request began, and what the time before it was spent on."""

    seconds: float = 0.0
    path: tuple[tuple[str, float], ...] = ()

    def after(self, name: str, seconds: float) -> "Moment":
        """Return the moment after something that takes this long."""
        if not seconds:
            return self
        return Moment(self.seconds + seconds, (*self.path, (name, seconds)))


def call_limit(policy: Policy) -> float:
    """Return how many seconds one call may take, with its retries, its queue and its pauses.

    A service may ask for a pause by Retry-After, and a call may wait for a permit or a token: then
    only the timeout of the call ends it.
    """
    waits = (
        (policy.retry is not None and policy.retry.attempts > 1)
        or policy.redirects > 0
        or policy.credentials is not None
        or (policy.bulkhead is not None and policy.bulkhead.queue > 0)
    )
    return policy.timeout if waits else min(policy.timeout, policy.attempt_timeout)


def attempts_limit(policy: Policy) -> float:
    """Return how many seconds a call takes if each of its attempts times out."""
    retry, attempt = policy.retry, min(policy.attempt_timeout, policy.timeout)
    if retry is None:
        return attempt
    pauses = (
        min(retry.backoff_max, retry.backoff * 2.0**number) for number in range(retry.attempts - 1)
    )
    return min(policy.timeout, retry.attempts * attempt + sum(pauses))


@dataclass(slots=True)
class Timeline:
    """The latest moments at which the parts of one request end.

    `limit` is the timeout of the request. A part that a condition or a loop has started may start
    again later: only `certain` ones run already.
    """

    policies: Policies
    limit: float
    ends: dict[tuple[type, str], Moment] = field(default_factory=dict)
    certain: set[tuple[type, str]] = field(default_factory=set)
    _is_certain: bool = True
    _open: set[tuple[type, str]] = field(default_factory=set)

    def after(  # noqa: C901, PLR0911 # one branch for each kind of step
        self, step: Step, now: Moment
    ) -> Moment:
        """Return when a step that begins now has ended at the latest."""
        match step:
            case InOrder():
                for one in step.steps:
                    now = self.after(one, now)
                return now
            case Together():
                return self._last(step.steps, now)
            case Maybe():
                with self._uncertain():
                    return max(now, self._last(step.steps, now), key=_seconds)
            case Repeated():
                return self._repeated(step, now)
            case PartStart():
                self._start(step.part, now)
                return now
            case ScreenMade():
                return now
            case PartWait():
                end = self.ends.get(_key(step.part))
                return now if end is None or end.seconds <= now.seconds else end
            case Request():
                seconds = self.call_seconds(step)
                return now.after(f"{step.service.name}.{step.via or step.verb.lower()}", seconds)
            case SagaRun():
                return now.after(step.saga.__name__, inf)
            case Unknown():
                return now.after("unknown", inf)

    def call_seconds(self, request: Request) -> float:
        """Return how many seconds a request may take; a stream has no end that is known."""
        if request.is_stream:
            return inf
        return call_limit(self.policies.get(request.service, request.service.policy))

    def duration(self, part: PartRef) -> float:
        """Return how many seconds a part may take that starts at once; one try of a step."""
        seconds = self._ended(part, Moment()).seconds
        if part.kind == "step" and issubclass(part.screen, Saga):
            return min(seconds, part.screen.policy.step_timeout)
        return seconds

    def _repeated(self, step: Repeated, now: Moment) -> Moment:
        with self._uncertain():
            end = self.after(step.step, now)
        seconds = end.seconds - now.seconds
        if step.at_once or seconds <= 0:
            return end
        if step.most is None or isinf(seconds):
            return now.after("a loop", inf)
        return now.after(f"{step.most} times {_names(end, now)}", seconds * step.most)

    def _last(self, steps: Iterable[Step], now: Moment) -> Moment:
        return max((self.after(one, now) for one in steps), key=_seconds, default=now)

    @contextmanager
    def _uncertain(self) -> Iterator[None]:
        before, self._is_certain = self._is_certain, False
        try:
            yield
        finally:
            self._is_certain = before

    def _start(self, part: PartRef, now: Moment) -> None:
        key, plan = _key(part), parts_of(part.screen).get(part.name)
        runs_already = plan is not None and plan.runs_once and key in self.certain
        if part.kind == "step" or runs_already or key in self._open:  # open: it awaits itself
            return
        if self._is_certain:
            self.certain.add(key)
        end, before = self._ended(part, now), self.ends.get(key)
        if before is None or end.seconds > before.seconds:
            self.ends[key] = end

    def _ended(self, part: PartRef, now: Moment) -> Moment:
        plan, key = parts_of(part.screen).get(part.name), _key(part)
        if plan is None or part.kind == "bulk":
            return now.after(part.name, inf)
        self._open.add(key)
        end = self.after(plan.step, now)
        self._open.discard(key)
        deadline = self.limit
        if plan.failure is not None:
            deadline = plan.failure.deadline(min(now.seconds, self.limit), self.limit)
        seconds = min(end.seconds, deadline) - now.seconds
        return now.after(part.name, max(round(seconds, 9), 0.0))


def worst_case(step: Step, policies: Policies, limit: float) -> Moment:
    """Return the latest moment at which a view ends, and the parts that take the time until then.

    It is infinite if something has no timeout of its own: then the request's timeout ends it.
    """
    return Timeline(policies, limit).after(step, Moment())


def _key(part: PartRef) -> tuple[type, str]:
    return part.screen, part.name


def _names(end: Moment, now: Moment) -> str:
    """Return what takes the time between two moments."""
    return " and ".join(dict.fromkeys(name for name, _ in end.path[len(now.path) :])) or "a loop"


def _seconds(moment: Moment) -> float:
    return moment.seconds
