"""The retry decision: what is sent again, when, and what the budget allows."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bff_core.call import Call, Reply
from bff_core.errors import (
    AttemptTimedOut,
    BadPayload,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    TransportFailed,
)
from bff_core.policy.upstream.retry import Retry, RetryBudget, decide, retry_after

NOW = 1000.0
NOON = 1_767_268_800.0  # Thu, 01 Jan 2026 12:00:00 GMT
READ = Call("users", "GET", "/users/7", "GET /users/{id}", deadline=NOW + 10)
WRITE = replace(READ, method="POST")


def decision(failure, *, call=READ, attempt=1, options=None, chance=0.5, budget=None):
    options = options or Retry()
    return decide(
        options,
        call,
        failure,
        attempt=attempt,
        now=NOW,
        wall=NOON,
        chance=lambda: chance,
        budget=budget or RetryBudget(options),
    )


def answered(status: int, retry_after: str | None = None) -> Reply:
    return Reply(status, () if retry_after is None else ((b"retry-after", retry_after.encode()),))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_status_of_a_read_is_retried_after_half_its_backoff(status: int) -> None:
    """Full jitter: with even chance the first delay is half of 25 ms."""
    assert decision(answered(status)) == pytest.approx(0.0125)


@given(attempt=st.integers(1, 9), chance=st.floats(0, 1, exclude_max=True))
def test_the_backoff_grows_and_stays_within_its_bounds(attempt: int, chance: float) -> None:
    """Each delay lies between nothing and 25 ms doubled per attempt, 250 ms at most."""
    delay = decision(answered(500), attempt=attempt, chance=chance, options=Retry(attempts=10))

    assert 0 <= delay <= min(0.25, 0.025 * 2 ** (attempt - 1))


@pytest.mark.parametrize(
    "failure",
    [
        CircuitOpen("open", call=READ, retry_after=1),
        BulkheadFull("full", call=READ),
        BadPayload("no JSON", call=READ),
        DeadlineExceeded("over", call=READ),
    ],
    ids=lambda failure: failure.code,
)
def test_failures_that_another_attempt_can_not_fix_are_final(failure) -> None:
    """Refusals, wrong payloads and a deadline that passed are not retried."""
    assert decision(failure) == "final"


def test_an_attempt_that_timed_out_is_retried() -> None:
    """Another attempt may be quicker while the call has time left."""
    assert isinstance(decision(AttemptTimedOut("slow", call=READ)), float)


def test_a_write_is_sent_once() -> None:
    """A POST that may have been received is not repeated."""
    broken = TransportFailed("reset", call=WRITE, is_sent=True)

    assert decision(broken, call=WRITE) == "not_idempotent"
    assert decision(answered(503), call=WRITE) == "not_idempotent"


def test_a_write_that_never_left_is_sent_again() -> None:
    """When connecting failed, no service can have received it."""
    refused = TransportFailed("refused", call=WRITE, is_sent=False)

    assert isinstance(decision(refused, call=WRITE), float)


def test_an_idempotency_key_makes_a_write_retryable() -> None:
    """The service promises to execute it once, however often it arrives."""
    call = replace(WRITE, headers=((b"idempotency-key", b"order-1"),))

    assert isinstance(decision(answered(503), call=call), float)


def test_the_last_attempt_is_the_last() -> None:
    """Three attempts are made at most, the first included."""
    assert isinstance(decision(answered(500), attempt=2), float)
    assert decision(answered(500), attempt=3) == "attempts"


def test_retry_after_delays_the_next_attempt() -> None:
    """Retry-After in seconds is the least delay."""
    assert decision(answered(503, "2")) == 2.0
    assert decision(answered(429, "2")) == 2.0


def test_a_429_that_does_not_say_when_is_final() -> None:
    """A service that limits us is not pressed further."""
    assert decision(answered(429)) == "final"


def test_a_wait_beyond_the_deadline_is_refused() -> None:
    """It would end in a timeout instead of the service's own answer."""
    assert decision(answered(503, "10")) == "retry_after"
    assert decision(answered(503, "9")) == 9.0


def test_a_backoff_beyond_the_deadline_is_refused() -> None:
    """There is no sense in sleeping until the call is over."""
    call = replace(READ, deadline=NOW + 0.01)

    assert decision(answered(500), call=call) == "deadline"


def test_statuses_and_attempts_can_be_chosen() -> None:
    """A policy may allow more attempts."""
    assert isinstance(decision(answered(500), attempt=4, options=Retry(attempts=5)), float)


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        ("0", None, 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", None, 30.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", None, 0.0),
        ("Thu Jan  1 12:00:30 2026", None, 30.0),
        ("Thursday, 01-Jan-26 12:00:30 GMT", None, 30.0),
        # The service's clock is an hour ahead of ours.
        ("Thu, 01 Jan 2026 13:00:05 GMT", "Thu, 01 Jan 2026 13:00:00 GMT", 5.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", "yesterday", 30.0),
        ("soon", None, None),
        ("-5", None, None),
        ("²", None, None),
        ("1.5", None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value, date, seconds) -> None:
    """Seconds and dates count; what is neither is as good as absent."""
    dated = () if date is None else ((b"date", date.encode()),)
    reply = Reply(503, ((b"retry-after", value.encode("latin-1")), *dated))

    assert retry_after(reply, wall=NOON) == seconds


@pytest.fixture
def elsewhere(monkeypatch):
    """Let this machine be in another time zone."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_date_without_a_zone_is_in_gmt_wherever_we_are() -> None:
    """The oldest form of a date names no zone (RFC 9110, section 5.6.7)."""
    reply = Reply(503, ((b"retry-after", b"Thu Jan  1 12:00:30 2026"),))

    assert retry_after(reply, wall=NOON) == 30


def test_the_budget_allows_a_few_retries_without_any_traffic() -> None:
    """A gateway that has just started may still retry, three times in ten seconds."""
    budget = RetryBudget(Retry())

    allowed = [budget.withdraw(NOW) for _ in range(5)]

    assert allowed == [True, True, True, False, False]
    assert budget.withdraw(NOW + 10)


def test_the_budget_is_a_fifth_of_recent_calls() -> None:
    """A hundred calls pay for twenty retries, and the minimum comes on top."""
    budget = RetryBudget(Retry())
    for _ in range(100):
        budget.deposit(NOW)

    assert sum(budget.withdraw(NOW) for _ in range(100)) == 23


def test_a_spent_budget_refuses() -> None:
    """The decision names the budget when it is what stands in the way."""
    options = Retry(budget_min=0, budget_ratio=0.0)

    assert decision(answered(500), options=options) == "budget"


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 20), st.integers(0, 20)), max_size=40))
def test_the_budget_is_exact_at_every_instant(rounds) -> None:
    """What is left is three and a fifth of recent calls, less recent retries; never overdrawn."""
    budget, now, calls, retries = RetryBudget(Retry()), NOW, [], []
    for pause, arriving, failing in rounds:
        now += pause
        for _ in range(arriving):
            budget.deposit(now)
            calls.append(now)
        before = budget.left(now)
        allowed = sum(budget.withdraw(now) for _ in range(failing))
        retries += [now] * allowed

        recent = [sum(int(now) - int(at) < 10 for at in those) for those in (calls, retries)]
        assert budget.left(now) == pytest.approx(3 + 0.2 * recent[0] - recent[1])
        assert allowed == min(failing, max(0, int(before + 1e-9)))
