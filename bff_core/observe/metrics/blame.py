"""What spoilt an answer: which part, which service, and why."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bff_core import events
from bff_core.errors import BFFError, UpstreamError
from bff_core.events.part_states import DEPENDENCY
from bff_core.observe.exceptions import cause_of
from bff_core.scope import EndedCall, current_request

MAX_PROBLEMS: Final = 20
"""How many parts of one request are noted."""


class PartProblem(NamedTuple):
    """A part that did not end well, and the service that it called, if one is known."""

    composition: str
    part: str
    state: str
    reason: str
    upstream: str = ""


class Culprit(NamedTuple):
    """What spoilt an answer; names that are not known are empty."""

    part: str
    upstream: str
    reason: str


class RequestNotes:
    """The parts of one request that did not end well."""

    __slots__ = ("is_stale", "problems", "upstreams")

    def __init__(self) -> None:
        self.is_stale = False
        self.problems: list[PartProblem] = []
        self.upstreams: dict[tuple[str, str], str] = {}

    def add(self, problem: PartProblem) -> None:
        """Note a part, if it has used a stale reply or did not end well."""
        if problem.state == "stale":
            self.is_stale = True
        elif len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def with_upstreams(self, calls: Sequence[EndedCall]) -> tuple[PartProblem, ...]:
        """Return the parts with their services: from the error, or the last call that failed."""
        return tuple(
            one._replace(
                upstream=self.upstreams.get((one.composition, one.part))
                or _failing(one.part, calls)
            )
            for one in self.problems
        )


def request_notes() -> RequestNotes | None:
    """Return the notes of the running request, which are made if there are none; None outside."""
    scope = current_request.get()
    if scope is None:
        return None
    notes = scope.observed
    if not isinstance(notes, RequestNotes):
        scope.observed = notes = RequestNotes()
    return notes


def is_failure(outcome: str | int) -> bool:
    """Whether a call has not got what it should have got."""
    return outcome >= 500 if isinstance(outcome, int) else True


def blamed(
    event: events.RequestAnswered, problems: Sequence[PartProblem], calls: Sequence[EndedCall]
) -> Iterator[Culprit]:
    """Yield what spoilt an answer: its parts, or else its error, or else its longest call.

    Parts that degraded since another one did are left out, unless there are no others.
    """
    own = [one for one in problems if one.reason != DEPENDENCY] or problems
    if own:
        yield from dict.fromkeys(Culprit(one.part, one.upstream, _reason(one)) for one in own)
        return
    if isinstance(event.error, BaseException):
        error = cause_of(event.error)
        upstream = error.call.upstream if isinstance(error, UpstreamError) else ""
        code = error.code if isinstance(error, BFFError) else "error"
        yield Culprit(_part_of(upstream, calls), upstream, code)
    elif event.status >= 500:
        yield Culprit("", "", event.reason or f"status {event.status}")
    elif calls:
        longest = max(calls, key=lambda one: one[4])
        yield Culprit(longest[5], longest[0], "slow")
    else:
        yield Culprit("", "", "slow")


def _reason(problem: PartProblem) -> str:
    return problem.reason or problem.state


def _part_of(upstream: str, calls: Sequence[EndedCall]) -> str:
    """Return the part whose call of a service failed last; empty if there is none."""
    parts = [one[5] for one in calls if one[0] == upstream and is_failure(one[2])]
    return parts[-1] if parts else ""


def _failing(part: str, calls: Sequence[EndedCall]) -> str:
    """Return the service that a part called last and in vain; empty if there is none."""
    services = [one[0] for one in calls if one[5] == part and is_failure(one[2])]
    return services[-1] if services else ""
