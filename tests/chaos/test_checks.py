"""Each broken invariant is reported: a suite that can't fail would prove nothing."""

import json
import os
import time

import pytest

from tests.chaos.call_counts import declared
from tests.chaos.checks import Checker, Viewer, difference
from tests.chaos.clients import Stopwatch, waited_of
from tests.chaos.faults import draw_failures
from tests.chaos.invariants import INVARIANTS, NOT_YET, InvariantReport
from tests.chaos.screens import Request, reads
from tests.processes.client import Answer

SERVICES = ("users", "catalog", "pricing", "inventory", "orders")
HOME = Request("mobile", "home", "/v1/home")
EXPORT = Request("desktop", "export", "/v1/orders/export", "stream")
BAD = Request("mobile", "nowhere", "/v1/nowhere", "bad")
BODY = b'{"name":"Ada","orders":["2601-0010001"]}'
OK = {"content-type": "application/json", "part-status": "profile=ok, orders=ok"}
CLOCK_SLACK = 0.005
"""Seconds by which two clocks of the system may differ about the same moment."""

PROBLEM = {"content-type": "application/problem+json", "retry-after": "1"}


def problem_of(status: int) -> bytes:
    return json.dumps({"status": status, "trace_id": "abc", "code": "unavailable"}).encode()


def judged(
    request: Request, *, status=200, headers=OK, body=BODY, seconds=0.1, **known
) -> InvariantReport:
    """Return the report on one answer."""
    viewer = Viewer(1, frozenset({b"2601-0010001"}), {("mobile", "home"): BODY})
    report = InvariantReport()
    answer = Answer(status, headers, body, seconds)
    Checker(report, timeout=1.0).judge(
        viewer, request, answer, wish=known.get("wish"), stall=known.get("stall", 0.0)
    )
    return report


def test_good_answers_break_nothing():
    """A whole answer, a failure with a problem document, or a refusal."""
    reports = [
        judged(HOME),
        judged(HOME, headers={**OK, "part-status": "orders=stale"}),
        judged(HOME, status=502, headers=PROBLEM, body=problem_of(502)),
        judged(HOME, status=503, headers=PROBLEM, body=problem_of(503)),
        judged(BAD, status=404, headers=PROBLEM, body=problem_of(404)),
        judged(EXPORT, body=b'{"number":"2601-0010001"}\n', seconds=100.0),
        judged(HOME, seconds=1.3, stall=0.25),
    ]

    assert [report.violations for report in reports] == [[]] * len(reports)


@pytest.mark.parametrize(
    ("invariant", "answer"),
    [
        (
            1,
            {
                "body": b'{"name":"Ada","orders":["2601-0010002"]}',
                "headers": {"part-status": "o=x"},
            },
        ),
        (1, {"body": b'{"email":"someone.else@example.com"}'}),
        (1, {"body": b'{"surplus": "yes"}'}),
        (3, {"seconds": 1.2}),
        (3, {"seconds": 0.4, "wish": 0.2}),
        (6, {"status": 500, "headers": {}, "body": b"Internal Server Error"}),
        (6, {"status": 502, "headers": PROBLEM, "body": b'{"status": 502}'}),
        (7, {"status": 503, "headers": {"content-type": "application/problem+json"}}),
        (7, {"status": 404, "headers": PROBLEM, "body": problem_of(404)}),
        (7, {"body": b'{"name":"Ada","orders":[]}'}),
        (7, {"headers": {**OK, "part-status": "orders=fallback"}}),
    ],
)
def test_answers_that_break_an_invariant(invariant, answer):
    """Each sort of wrong answer counts against the invariant that it breaks."""
    report = judged(HOME, **answer)

    assert invariant in {broken for broken, _ in report.violations}


class Machine:
    """A clock, and what processes and processors had to wait, all set by hand."""

    def __init__(self):
        self.now = 100.0
        self.taken = [5.0, 7.0]

    def clock(self):
        return self.now

    def waits_of(self, _):
        return list(self.taken)


def test_time_that_the_machine_took_is_no_lateness():
    """Standing still and waiting for a processor count at once, in the tick that is under way."""
    machine = Machine()
    watch = Stopwatch((), machine.clock, machine.waits_of)
    machine.now += 0.01
    in_time = watch.since(100.0)
    machine.now += 0.31
    stood_still = watch.since(100.0)
    machine.taken[1] += 0.2
    starved = watch.since(100.0)

    assert in_time == 0.0
    assert stood_still == pytest.approx(0.3)
    assert starved == pytest.approx(0.5)
    assert watch.since(100.0) == pytest.approx(0.5)
    machine.now += 0.01
    assert watch.since(machine.now) == pytest.approx(0.01)


def test_what_a_gateway_does_to_itself_is_lateness():
    """A process that had a processor has no excuse."""
    began, before = time.monotonic(), waited_of(os.getpid())
    ends = time.thread_time() + 0.05
    while time.thread_time() < ends:
        pass
    waited, seconds = waited_of(os.getpid()) - before, time.monotonic() - began

    assert waited <= seconds - 0.05 + CLOCK_SLACK


def test_bad_requests_that_are_served():
    """An answer to a forbidden request counts as a leak."""
    assert [broken for broken, _ in judged(BAD).violations] == [1]


def test_runs_without_a_check_are_not_good():
    """A run that never checked an invariant proves nothing about it."""
    report = InvariantReport()
    for invariant in set(INVARIANTS) - set(NOT_YET) - {4}:
        report.hold(invariant, is_held=True)

    assert not report.is_good
    assert "never checked: 4" in report.text()


def test_failures_follow_the_seed():
    """The same seed draws the same failures; each service has one at a time."""
    storm = draw_failures(7, SERVICES, 30.0)

    assert draw_failures(7, SERVICES, 30.0) == storm != draw_failures(8, SERVICES, 30.0)
    for name in SERVICES:
        mine = [failure for failure in storm if failure.service == name]
        ends = [failure.at + failure.seconds for failure in mine]
        assert all(end <= after.at for end, after in zip(ends, mine[1:], strict=False))


def test_differences_are_found_wherever_they_are():
    """Deep in a list, and in what is missing."""
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == ""
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}).startswith("/a/1/b is 3")
    assert difference({"a": [1, 2]}, {"a": [1]}).startswith("/a is [1]")


def test_the_allow_list_is_what_upstreams_declare():
    """Read from their source: each service of the shop calls something."""
    routes = declared()

    assert "GET /users/{}" in routes["users"]
    assert all(routes.values())


def test_every_gateway_gets_requests():
    """Over REST, GraphQL and lines."""
    options = {(request.gateway, request.kind) for request in reads((1,))}

    assert {gateway for gateway, _ in options} == {"web", "mobile", "desktop"}
    assert {kind for _, kind in options} == {"read", "lines", "stream"}
