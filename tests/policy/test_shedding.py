"""Pressure: who is admitted below the limit, and how the limit follows the loop's lag."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.edge.shedding import (
    CLASSES,
    ONSET_SECONDS,
    WINDOW_SECONDS,
    LoadShedder,
    combined_criticality,
)

LOOK = 0.025
"""Seconds between two looks at the loop, as the edge takes them."""


def looks(pressure: LoadShedder, lags, now: float = 0.0) -> float:
    """Show the pressure a lag every 25 ms, or as often as turns allow; return the last instant."""
    for lag in lags:
        now += max(LOOK, lag)
        pressure.observe(now, lag)
    return now


def admitted(pressure: LoadShedder) -> list[str]:
    """Return the classes that would be admitted now, lowest first."""
    return [one for one in CLASSES if pressure.admits(one)]


@pytest.mark.parametrize(
    ("in_flight", "classes"),
    [(49, CLASSES), (50, CLASSES[1:]), (70, CLASSES[2:]), (90, CLASSES[3:]), (100, ())],
)
def test_the_lowest_class_is_refused_first(in_flight, classes):
    """Each class has a share of the limit; the rest is reserved for higher classes."""
    pressure = LoadShedder(ceiling=100)
    pressure.in_flight = in_flight

    assert admitted(pressure) == list(classes)


def test_answers_omit_optional_parts_before_requests_are_refused():
    """Above two fifths of the limit answers omit optional parts, unless brownout is off."""
    pressure, without = LoadShedder(ceiling=100), LoadShedder(ceiling=100, brownout=False)
    pressure.in_flight, without.in_flight = 41, 100

    assert admitted(pressure) == list(CLASSES)
    assert (pressure.sheds_parts(), without.sheds_parts()) == (True, False)
    pressure.in_flight = 40
    assert not pressure.sheds_parts()


def test_while_requests_are_refused_all_answers_omit_optional_parts():
    """Until the next measurement no answer is complete, to make room for more requests."""
    pressure, without = LoadShedder(ceiling=100), LoadShedder(ceiling=100, brownout=False)
    for one in (pressure, without):
        one.in_flight = 100
        one.admits("critical")
        one.in_flight = 10

    assert (pressure.sheds_parts(), without.sheds_parts()) == (True, False)
    looks(pressure, [0.0])
    assert not pressure.sheds_parts()


def test_a_single_request_gets_all_its_parts():
    """Even with a limit of one, the answer to that request is complete."""
    pressure = LoadShedder(ceiling=1)

    assert admitted(pressure) == list(CLASSES)
    pressure.in_flight = 1
    assert not pressure.sheds_parts()
    assert admitted(pressure) == []


def test_a_standing_lag_cuts_the_limit_to_the_floor():
    """While the loop always lags, the limit falls to its floor."""
    pressure = LoadShedder(ceiling=1000, floor=10, max_lag=0.002)
    pressure.in_flight = 400

    looks(pressure, [0.1] * 30)

    assert pressure.limit == 10


@pytest.mark.parametrize(("turns", "is_cut"), [(2, False), (3, True)])
def test_the_third_long_turn_cuts_the_limit(turns, is_cut):
    """One blocked turn and the next are no overload; three long turns are a standing queue."""
    pressure = LoadShedder(ceiling=1000)
    pressure.in_flight = 400

    looks(pressure, [0.2] * turns)

    assert pressure.is_limited == is_cut


def test_the_first_cut_starts_from_the_requests_in_flight():
    """A limit of a thousand has no effect while thirty requests are in flight."""
    pressure = LoadShedder(ceiling=1000, floor=10, max_lag=0.002)
    pressure.in_flight = 30

    looks(pressure, [0.003] * (int(ONSET_SECONDS / LOOK) + 2))

    assert 20 < pressure.limit < 30


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200), st.data())
def test_a_lag_with_short_turns_is_no_overload(lags, data):
    """If one turn in three is short, nothing is refused, however long the others are."""
    pressure = LoadShedder(ceiling=1000, max_lag=0.002)
    pressure.in_flight = 500
    for place in range(0, len(lags), 3):
        lags[place] = data.draw(st.floats(0, 0.002))

    looks(pressure, lags)

    assert pressure.limit == 1000


def test_the_limit_recovers_in_seconds():
    """Without lag the limit is back at its ceiling within four seconds."""
    pressure = LoadShedder(ceiling=1000, floor=10)
    pressure.in_flight = 400
    now = looks(pressure, [0.1] * 40)

    looks(pressure, [0.0002] * int(4 / LOOK), now)

    assert not pressure.is_limited


def test_without_a_maximum_lag_the_limit_is_fixed():
    """With `max_lag=0` only the number of requests is limited."""
    pressure = LoadShedder(ceiling=50, max_lag=0)
    pressure.in_flight = 50

    looks(pressure, [5.0] * 100)

    assert pressure.limit == 50


@given(st.floats(20e-6, 200e-6), st.integers(0, 2**32))
def test_the_limit_settles_where_the_loop_is_not_blocked(cost, seed):
    """Under endless demand the lag stays near `max_lag`, whatever a request costs.

    The loop is played: a turn takes as long as what is in flight costs, give or take a half.
    """
    chance, pressure = Random(seed), LoadShedder(ceiling=1000, floor=5, max_lag=0.002)
    now, lags = 0.0, []
    for _ in range(400):
        while pressure.admits("critical"):
            pressure.in_flight += 1
        lag = pressure.in_flight * cost * chance.uniform(0.5, 1.5)
        now += max(LOOK, lag)
        pressure.observe(now, lag)
        pressure.in_flight = min(pressure.in_flight, int(pressure.limit * 0.9))
        lags.append(lag)

    settled = lags[-200:]
    assert 0.001 < sum(settled) / len(settled) < 0.005


EVENTS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(CLASSES)),
    st.tuples(st.just("leave"), st.none()),
    st.tuples(st.just("stream"), st.none()),
    st.tuples(st.just("end"), st.none()),
    st.tuples(st.just("look"), st.floats(0, 1)),
)


@given(st.lists(EVENTS, max_size=300), st.integers(1, 40), st.integers(1, 20))
def test_the_limit_stays_within_its_bounds(events, ceiling, floor):
    """The limit stays between floor and ceiling, and higher classes are refused last."""
    pressure, now = LoadShedder(ceiling=ceiling, floor=floor), 0.0
    for kind, value in events:
        now += LOOK
        if kind == "ask" and pressure.admits(value):
            pressure.in_flight += 1
        elif kind == "leave" and pressure.in_flight:
            pressure.in_flight -= 1
        elif kind == "stream" and pressure.in_flight:
            pressure.begin_stream()
        elif kind == "end" and pressure.streams:
            pressure.end_stream()
        elif kind == "look":
            pressure.observe(now, value)

        assert pressure.in_flight <= ceiling
        assert min(floor, ceiling) <= pressure.limit <= ceiling
        assert admitted(pressure) == list(CLASSES[len(CLASSES) - len(admitted(pressure)) :])
        assert pressure.in_flight >= pressure.lowest_threshold or len(admitted(pressure)) == len(
            CLASSES
        )


def test_streams_never_refuse_a_request() -> None:
    """Ten thousand streams that wait leave all places to requests."""
    pressure = LoadShedder(ceiling=10)
    for _ in range(10_000):
        pressure.in_flight += 1
        assert pressure.begin_stream()

    assert (pressure.in_flight, pressure.streams) == (0, 10_000)
    pressure.in_flight = 8
    assert admitted(pressure) == ["critical", "critical_plus"]


def test_streams_have_a_limit_of_their_own() -> None:
    """One more than `max_streams` is refused, until one ends."""
    pressure = LoadShedder(max_streams=2)
    pressure.in_flight = 4
    begun = [pressure.begin_stream() for _ in range(3)]
    pressure.end_stream()

    assert (begun, pressure.in_flight) == ([True, True, False], 2)
    assert pressure.begin_stream()


def test_a_request_in_flight_does_not_count_against_itself():
    """The last admitted request of its class may continue; a less critical one may not."""
    pressure = LoadShedder(ceiling=100)
    pressure.in_flight = 61

    assert not pressure.may_continue("sheddable")
    assert pressure.may_continue("sheddable_plus")


def test_refusals_are_counted_until_they_are_reported():
    """A report has the refusals by class and the dimmed answers; then both counts are zero."""
    pressure = LoadShedder(ceiling=10)
    pressure.in_flight = 10
    for one in ("sheddable", "sheddable", "critical"):
        pressure.admits(one)
    pressure.sheds_parts()

    assert pressure.report() == ({"sheddable": 2, "critical": 1}, 1)
    assert pressure.report() == ({}, 0)


@pytest.mark.parametrize(
    ("route", "viewer", "rank"),
    [
        ("critical", "critical", "critical"),
        ("critical", "critical_plus", "critical_plus"),
        ("sheddable", "critical_plus", "sheddable_plus"),
        ("critical", "sheddable", "sheddable"),
        ("critical_plus", "sheddable_plus", "critical"),
        ("sheddable", "sheddable", "sheddable"),
        ("critical_plus", "critical_plus", "critical_plus"),
    ],
)
def test_a_viewer_moves_the_class_of_a_route(route, viewer, rank):
    """The viewer's distance from the default class is added to the route's class."""
    assert combined_criticality(route, viewer) == rank


def test_after_a_cut_the_limit_follows_a_shorter_interval():
    """The last tenth of a second counts, so that the limit settles soon."""
    pressure = LoadShedder(ceiling=1000, floor=10, max_lag=0.002)
    pressure.in_flight = 100
    now = looks(pressure, [0.01] * 12)
    cut = pressure.limit

    looks(pressure, [0.01] * int(WINDOW_SECONDS / LOOK), now)

    assert pressure.limit < cut < 100
