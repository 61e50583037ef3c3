"""The rolling window that breaker and retry budget count with."""

from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.window import Window

steps = st.lists(st.floats(0, 4, allow_nan=False), max_size=60)


@given(steps=steps)
def test_the_total_is_that_of_a_list_of_instants(steps: list[float]) -> None:
    """It counts what happened in the current bucket of one second and the nine before."""
    window, added, now = Window(10.0, buckets=10), [], 1000.0
    for step in steps:
        now += step
        window.add(now)
        added.append(now)

        assert window.total(now) == sum(int(now) - int(at) < 10 for at in added)


def test_a_long_silence_empties_the_window() -> None:
    """Counts from before a silence longer than the window are gone, wherever they were."""
    window = Window(10.0)
    for second in range(10):
        window.add(1000.0 + second)

    assert window.total(1009.0) == 10
    assert window.total(1014.0) == 5
    assert window.total(5000.0) == 0


def test_clearing_forgets_everything() -> None:
    """A cleared window starts again from nothing."""
    window = Window(10.0)
    window.add(1000.0)

    window.clear()

    assert window.total(1000.0) == 0
