"""Rate limits: the arithmetic of buckets and windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.rate_limits import UNUSED, Limit, charged, status_of

START = 1_000_000.0


def admitted(limit, instants):
    """Return the instants at which a request is admitted."""
    state, admitted_at = UNUSED, []
    for now in instants:
        if status_of(limit, state, now).retry_after == 0:
            state = charged(limit, state, now, 1)
            admitted_at.append(now)
    return admitted_at


arrivals = st.lists(st.floats(0, 3, allow_nan=False), max_size=150).map(
    lambda gaps: [START + sum(gaps[: place + 1]) for place in range(len(gaps))]
)


@given(arrivals, st.integers(1, 20), st.integers(1, 20))
def test_a_bucket_admits_its_burst_and_its_refill(instants, quota, burst):
    """In any period a bucket admits its burst and what was refilled meanwhile, at most."""
    limit = Limit(quota=quota, per=10, burst=burst)

    admitted_at = admitted(limit, instants)

    for place, first in enumerate(admitted_at):
        for count, last in enumerate(admitted_at[place:], start=1):
            assert count <= burst + (last - first) * quota / 10 + 1e-3


@given(arrivals, st.integers(1, 20))
def test_a_bucket_admits_a_caller_no_faster_than_its_refill(instants, quota):
    """A caller no faster than the refill of the bucket is never refused."""
    limit = Limit(quota=quota, per=10, burst=1)
    paced = [START + place * 10.001 / quota for place in range(len(instants))]

    assert admitted(limit, paced) == paced


@given(arrivals, st.integers(1, 20))
def test_a_window_admits_at_most_its_quota_in_a_fixed_window(instants, quota):
    """Within one window of the clock no caller gets more than the quota."""
    limit = Limit(quota=quota, per=10, strategy="window")

    admitted_at = admitted(limit, instants)

    for first in admitted_at:
        same = [now for now in admitted_at if now // 10 == first // 10]
        assert len(same) <= quota


@given(arrivals, st.integers(1, 20), st.sampled_from(["bucket", "window"]))
def test_a_caller_that_waits_for_retry_after_is_admitted(instants, quota, strategy):
    """After `retry_after` seconds, and not much earlier, the next request is admitted."""
    limit = Limit(quota=quota, per=10, strategy=strategy)
    state = UNUSED
    for now in instants:
        status = status_of(limit, state, now)
        if status.retry_after:
            assert status_of(limit, state, now + status.retry_after + 1e-5).retry_after == 0
            assert status_of(limit, state, now + status.retry_after * 0.9 - 0.01).retry_after > 0
        else:
            state = charged(limit, state, now, 1)


@given(arrivals, st.integers(1, 20), st.sampled_from(["bucket", "window"]))
def test_the_remaining_requests_are_admitted_at_once(instants, quota, strategy):
    """`remaining` requests are admitted at this instant, and not one more."""
    limit = Limit(quota=quota, per=10, strategy=strategy)
    state = UNUSED
    for now in instants:
        if status_of(limit, state, now).retry_after == 0:
            state = charged(limit, state, now, 1)
    now = instants[-1] if instants else START
    left = status_of(limit, state, now).remaining

    assert len(admitted_from(limit, state, now, left + 5)) == left


def admitted_from(limit, state, now, count):
    """Return how many of `count` requests at one instant are let in."""
    admitted_at = []
    for _ in range(count):
        if status_of(limit, state, now).retry_after == 0:
            state = charged(limit, state, now, 1)
            admitted_at.append(now)
    return admitted_at


@pytest.mark.parametrize("strategy", ["bucket", "window"])
def test_an_expensive_answer_does_not_block_its_caller_for_long(strategy):
    """Whatever an answer cost, the caller is admitted again after two refills or windows."""
    limit = Limit(quota=10, per=10, strategy=strategy, cost="calls")

    state = charged(limit, UNUSED, START, 1_000_000)

    assert status_of(limit, state, START).retry_after > 0
    assert status_of(limit, state, START + 20.1).retry_after == 0


def test_wrong_options_are_refused():
    """The error names the option and what is accepted."""
    with pytest.raises(ConfigurationError, match=r"Limit\.by must be one of viewer, key, address"):
        Limit(quota=1, by="cookie")
    with pytest.raises(ConfigurationError, match=r"Limit\.burst is for buckets"):
        Limit(quota=1, burst=2, strategy="window")
    with pytest.raises(ConfigurationError, match=r"Limit\.quota must be 1 to 10,000,000"):
        Limit(quota=0)
    with pytest.raises(ConfigurationError, match="begin with /"):
        Limit(quota=1, paths=("v1",))
    with pytest.raises(ConfigurationError, match=r"Limit\.methods are in upper case"):
        Limit(quota=1, methods=("post",))
    with pytest.raises(ConfigurationError, match=r"Limit\.name must be letters"):
        Limit(quota=1, name='a"b')


def test_a_window_is_full_again_only_when_the_next_one_has_passed():
    """What is reported as `t` may exceed the window: a request weighs on the next one as well."""
    limit = Limit(quota=100, per=10, strategy="window")
    state = charged(limit, UNUSED, START + 4, 1)
    reset = status_of(limit, state, START + 4).reset

    assert reset == 16
    assert status_of(limit, state, START + 4 + reset - 0.1).remaining == 99
    assert status_of(limit, state, START + 4 + reset).remaining == 100
