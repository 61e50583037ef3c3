"""When a call is slow: the observed quantile, its bounds, and what ends a race."""

import random
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.call import Call, Reply
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.hedge import MAX_OPERATIONS, Hedge, Latencies, Operations, is_good
from bff_core.policy.upstream.policy import Policy

NOW = 1000.0
WIDE = Hedge(delay_min=0, delay_max=60)


def latencies(*seconds: float, options: Hedge = WIDE) -> Latencies:
    found = Latencies(options)
    for latency in seconds:
        found.add(latency, NOW)
    return found


def test_a_call_is_slow_after_the_observed_quantile() -> None:
    """Nineteen of twenty calls take 10 ms: a call that takes longer is slow."""
    delay = latencies(*([0.01] * 19 + [0.8]) * 10).delay(NOW)

    assert 0.01 <= delay < 0.0122


def test_too_few_calls_give_no_delay() -> None:
    """Forty-nine are not enough, fifty are."""
    assert latencies(*[0.01] * 49).delay(NOW) is None
    assert latencies(*[0.01] * 50).delay(NOW) is not None


@pytest.mark.parametrize(("took", "delay"), [(0.0005, 0.02), (30.0, 0.5)], ids=["min", "max"])
def test_the_delay_has_a_floor_and_a_cap(took: float, delay: float) -> None:
    """Very quick calls are given a moment, very slow ones are not awaited for ever."""
    options = Hedge(delay_min=0.02, delay_max=0.5)

    assert latencies(*[took] * 100, options=options).delay(NOW) == delay


def test_calls_of_long_ago_are_forgotten() -> None:
    """After a window the old ones are gone, and after a silence all of them."""
    found = latencies(*[1.0] * 100)
    for second in range(90):
        found.add(0.01, NOW + second)
        found.add(0.01, NOW + second + 0.5)

    assert found.delay(NOW + 90) < 0.02
    assert found.delay(NOW + 1000) is None


@given(st.lists(st.floats(0.001, 50), min_size=64, max_size=64), st.floats(0.5, 0.999))
def test_it_is_the_quantile_to_a_tenth(sample: list[float], quantile: float) -> None:
    """However latencies are spread, the estimate is never below and a bucket above at most."""
    delay = latencies(*sample, options=Hedge(delay_max=60, quantile=quantile)).delay(NOW)

    exact = sorted(sample)[ceil(quantile * 64) - 1]
    assert max(exact, 0.01) * 0.999 <= delay <= max(exact * 1.1001, 0.01)


def test_paths_with_ids_do_not_leak_memory() -> None:
    """Ten thousand operations share a bounded memory."""
    those = Operations(Hedge())
    for number in range(10_000):
        those.of(f"GET /{number}").add(0.01, NOW)

    assert len(those) == MAX_OPERATIONS + 1


def test_operations_are_judged_apart() -> None:
    """A report that takes a second is not a slow read."""
    those, chance = Operations(WIDE), random.Random(1)
    for _ in range(100):
        those.of("GET /users/{id}").add(chance.uniform(0.01, 0.02), NOW)
        those.of("GET /report").add(chance.uniform(0.9, 1.0), NOW)

    assert those.of("GET /users/{id}").delay(NOW) < 0.025
    assert those.of("GET /report").delay(NOW) > 0.9


@pytest.mark.parametrize(
    ("method", "status", "ends"),
    [
        ("GET", 200, True),
        ("GET", 404, True),
        ("GET", 429, False),
        ("GET", 503, False),
        ("PUT", 204, True),
        ("DELETE", 404, False),
        ("POST", 409, False),
    ],
)
def test_a_good_reply_ends_a_race(method: str, status: int, *, ends: bool) -> None:
    """A write that was sent twice may conflict with itself: only success counts."""
    call = Call("users", method, "/", f"{method} /", NOW + 1)

    assert is_good(call, Reply(status)) is ends


def test_options_that_contradict_each_other_are_refused() -> None:
    """And what is no Hedge is none."""
    with pytest.raises(ConfigurationError, match=r"Hedge\.delay_max must be at least"):
        Hedge(delay_min=2.0)
    with pytest.raises(ConfigurationError, match=r"Policy\.hedge must be Hedge\(...\) or None"):
        Policy(hedge=True)
