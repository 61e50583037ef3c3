"""The adaptive limit: it follows what an upstream can take, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.concurrency import (
    MAX_OPERATIONS,
    MIN_CALLS,
    Adaptive,
    ConcurrencyLimit,
)

NOW = 1000.0
QUICK, SLOW = 0.05, 0.5


class Clocked:
    """A limit, and calls that are put through it one window after another."""

    def __init__(self, most: int = 100, **options) -> None:
        self.now = NOW
        self.limit = ConcurrencyLimit(Adaptive(**options), most, NOW, lambda: 0.5)

    def window(
        self, latency: float, share: float = 1.0, *, drops: int = 0, operation: str = "read"
    ) -> int:
        """Let as many calls end as it takes to judge; `share` of the limit was used."""
        began, in_flight = self.now, max(1, round(share * self.limit.value))
        self.now += max(2 * latency, 0.1)
        for number in range(MIN_CALLS):
            if number < drops:
                self.limit.fail(began, self.now, in_flight)
            else:
                self.limit.succeed(operation, self.now - latency, self.now, in_flight)
        return self.limit.value


def learned(**options) -> Clocked:
    """Return a limit that knows how long an unhurried call takes."""
    those = Clocked(**options)
    for _ in range(10):
        those.window(QUICK, share=0.3)
    return those


def test_it_grows_while_calls_at_the_limit_are_as_quick_as_ever() -> None:
    """It starts at twenty and reaches the most that is allowed."""
    those = learned(most=60)

    values = [those.window(QUICK) for _ in range(20)]

    assert values[0] > 20
    assert values == sorted(values)
    assert values[-1] == 60


def test_it_shrinks_while_calls_at_the_limit_are_slow() -> None:
    """It falls by half at most in one window, and to the least at last."""
    those = learned()

    values = [those.window(SLOW) for _ in range(10)]

    assert 10 <= values[0] < 20
    assert values == sorted(values, reverse=True)
    assert values[-1] == 4


@pytest.mark.parametrize("latency", [QUICK, SLOW], ids=["quick", "slow"])
def test_calls_far_from_the_limit_leave_it_alone(latency: float) -> None:
    """An idle night moves nothing, whatever single calls took."""
    those = learned()

    assert {those.window(latency, share=0.3) for _ in range(500)} == {20}


def test_calls_that_began_before_it_moved_do_not_count() -> None:
    """A long tail of calls that met the old limit does not push the new one further down."""
    those = learned()
    began = those.now
    lowered = those.window(SLOW)

    for _ in range(10):
        those.limit.succeed("read", began, those.now, 20)
        those.window(QUICK)

    assert lowered < 20
    assert those.limit.value > 20


def test_failures_are_drops() -> None:
    """Where half of the calls fail it halves, however quickly they do."""
    those = learned()

    assert those.window(QUICK, drops=5) == 10


def test_it_grows_by_one_after_drops() -> None:
    """An upstream that refuses beyond its capacity is not run into again and again."""
    those = learned()
    dropped = those.window(QUICK, drops=1)

    assert (dropped, those.window(QUICK), those.window(QUICK)) == (18, 19, 21)


def test_a_few_failures_at_all_times_do_not_starve_an_upstream() -> None:
    """Two in a hundred fail for reasons of their own, and the limit grows all the same."""
    those = learned(most=60)
    for number in range(60):
        those.window(QUICK, drops=int(number % 5 == 0))

    assert those.limit.value > 40


def test_another_mix_of_operations_is_no_congestion() -> None:
    """Each is held to its own pace: reports that take half a second are not slow reads."""
    those = learned()
    for _ in range(10):
        those.window(SLOW, share=0.3, operation="report")

    grown = those.window(QUICK)

    assert those.window(SLOW, operation="report") > grown


def test_an_upstream_that_became_slower_for_good_gets_a_new_pace() -> None:
    """At its least the limit can't be why calls are slow: they are the upstream's pace then."""
    those = learned()

    values = [those.window(SLOW) for _ in range(40)]

    assert min(values) == 4
    assert values[-1] > 20
    assert those.limit.baselines["read"] == pytest.approx(SLOW)


def test_the_limit_is_lowered_when_the_baseline_was_not_measured_for_half_a_minute() -> None:
    """It is restored as soon as enough calls were measured."""
    those = learned(most=40)
    while not those.limit.is_probing:
        those.window(QUICK)
    waited, during = those.now - NOW, those.limit.value

    for _ in range(3):
        those.window(QUICK)

    assert 30 <= waited < 32
    assert during == 13
    assert (those.limit.is_probing, those.limit.value) == (False, 40)


def test_a_probe_ends_without_calls() -> None:
    """A second is enough where calls are quick."""
    those = learned(most=40)
    while not those.limit.is_probing:
        those.window(QUICK)

    those.limit.fail(those.now, those.now + 1.1, 20)

    assert not those.limit.is_probing


def test_ten_thousand_operations_share_a_bounded_memory() -> None:
    """A path with ids in it is no leak."""
    those = Clocked()
    for number in range(10_000):
        those.limit.succeed(f"GET /{number}", NOW, NOW + QUICK, 1)

    assert len(those.limit.baselines) == MAX_OPERATIONS + 1


ends = st.tuples(
    st.sampled_from(["succeed", "fail"]),
    st.floats(0, 5),
    st.floats(0, 2),
    st.integers(1, 300),
    st.sampled_from("abc"),
)


@given(st.integers(1, 60), st.integers(60, 300), st.lists(ends, max_size=300))
def test_it_stays_within_its_bounds(least: int, most: int, script: list) -> None:
    """Whatever calls do, and whenever; from the start, wherever that is."""
    limit, now = ConcurrencyLimit(Adaptive(least=least), most, NOW, lambda: 0.5), NOW
    assert least <= limit.value <= most
    for kind, latency, pause, in_flight, operation in script:
        now += pause
        if kind == "fail":
            limit.fail(now - latency, now, in_flight)
        else:
            limit.succeed(operation, now - latency, now, in_flight)

        assert least <= limit.value <= most


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bulkhead(adaptive=True), "Bulkhead.adaptive must be Adaptive(...) or None"),
        (
            lambda: Bulkhead(concurrent=3, adaptive=Adaptive()),
            "Bulkhead.concurrent must be at least Adaptive.least",
        ),
        (lambda: Adaptive(tolerance=0.5), "Adaptive.tolerance must be 1 to 10, not 0.5"),
    ],
)
def test_options_that_contradict_each_other_are_refused(build, message: str) -> None:
    """A limit that can't be meant is found when it is built."""
    with pytest.raises(ConfigurationError) as caught:
        build()

    assert message in str(caught.value)
