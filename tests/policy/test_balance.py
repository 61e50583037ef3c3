"""Endpoints: who takes a call, who is ejected, and how they come back."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.endpoint_set import EndpointSet
from bff_core.policy.upstream.member import Member

NOW = 1000.0


def endpoints(names: str = "abc", **options) -> EndpointSet[str, str]:
    made = EndpointSet(Balance(**options), str.upper)
    made.update(names, NOW)
    return made


def members(those: EndpointSet[str, str], now: float = NOW) -> dict[str, Member[str, str]]:
    """Find each usable endpoint by asking often enough."""
    chance = random.Random(1).random
    picked = [those.pick(now, chance) for _ in range(200)]
    return {member.key: member for member in picked if member}


def fail(those: EndpointSet[str, str], member: Member[str, str], times: int, now: float = NOW):
    return [those.fail(member, now) for _ in range(times)][-1]


def test_idle_endpoints_share_the_calls() -> None:
    """Without load each of three gets about a third."""
    those, chance = endpoints(), random.Random(1).random

    counts = Counter(those.pick(NOW, chance).key for _ in range(3000))

    assert all(900 < counts[name] < 1100 for name in "abc")


def test_the_less_busy_of_two_takes_the_call() -> None:
    """The busiest endpoint is never chosen: whatever it is drawn with is less busy."""
    those, chance = endpoints(), random.Random(1).random
    members(those)["b"].in_flight = 5

    picked = {those.pick(NOW, chance).key for _ in range(200)}

    assert picked == {"a", "c"}


def test_load_stays_even_when_calls_pile_up() -> None:
    """Power of two choices: of 3,000 calls that never end each endpoint holds its share."""
    those, chance = endpoints("abcdefghij"), random.Random(1).random
    for _ in range(3000):
        those.pick(NOW, chance).in_flight += 1

    loads = [member.in_flight for member in members(those).values()]

    assert max(loads) - min(loads) <= 5


def test_without_endpoints_there_is_none_to_pick() -> None:
    """Nothing resolved means nothing to call."""
    assert endpoints("").pick(NOW, random.random) is None


def test_a_retry_goes_elsewhere() -> None:
    """An endpoint that was tried is avoided as long as there is another."""
    chance = random.Random(1).random

    def picked(names: str, tried: str) -> set[str]:
        those = endpoints(names)
        return {those.pick(NOW, chance, tried).key for _ in range(50)}

    assert picked("abc", "a") == {"b", "c"}
    assert picked("abc", "ab") == {"c"}
    assert picked("abc", "abc") == {"a", "b"}
    assert picked("a", "a") == {"a"}


def test_five_failures_in_a_row_eject_an_endpoint_for_ten_seconds() -> None:
    """It gets no calls until then."""
    those = endpoints()
    bad = members(those)["a"]

    durations = [those.fail(bad, NOW) for _ in range(5)]

    assert durations == [None] * 4 + [10.0]
    assert those.ejected == ("a",)
    assert set(members(those, NOW + 9.9)) == {"b", "c"}


def test_a_success_in_between_starts_the_count_again() -> None:
    """Only failures in a row count."""
    those = endpoints()
    flaky = members(those)["a"]
    fail(those, flaky, 4)
    those.succeed(flaky, NOW)

    assert fail(those, flaky, 4) is None
    assert those.ejected == ()


def test_an_ejected_endpoint_is_probed_by_one_call_at_a_time() -> None:
    """After its time it gets a single call; the others don't wait for it."""
    those, chance = endpoints(), random.Random(1).random
    bad = members(those)["a"]
    fail(those, bad, 5)

    probe = those.pick(NOW + 10, chance)
    probe.in_flight += 1

    assert probe is bad
    assert {those.pick(NOW + 10, chance).key for _ in range(50)} == {"b", "c"}


def test_a_good_probe_restores_the_endpoint() -> None:
    """It is used like the others again."""
    those = endpoints()
    bad = members(those)["a"]
    fail(those, bad, 5)
    those.pick(NOW + 10, random.random)

    assert those.succeed(bad, NOW + 10)
    assert set(members(those, NOW + 10)) == {"a", "b", "c"}


def test_a_bad_probe_ejects_for_longer() -> None:
    """One failure is enough now; the time grows by ten seconds with each, to its maximum."""
    those = endpoints(eject_for_max=35.0)
    bad = members(those)["a"]
    now, durations = NOW, [fail(those, bad, 5)]
    for _ in range(4):
        now += durations[-1]
        durations.append(those.fail(bad, now))

    assert durations == [10.0, 20.0, 30.0, 35.0, 35.0]


def test_repeats_are_forgiven_with_time() -> None:
    """Each ten seconds of health take one repeat back."""
    those = endpoints()
    bad = members(those)["a"]
    fail(those, bad, 5)
    those.fail(bad, NOW + 10)
    those.fail(bad, NOW + 30)  # the third time: out until NOW + 60
    those.succeed(bad, NOW + 60)

    assert fail(those, bad, 5, NOW + 80) == 20.0


def test_late_results_change_nothing_while_an_endpoint_is_ejected() -> None:
    """Calls that began before it was ejected neither restore it nor prolong its time."""
    those = endpoints()
    bad = members(those)["a"]
    fail(those, bad, 5)

    assert those.fail(bad, NOW + 1) is None
    assert not those.succeed(bad, NOW + 1)
    assert set(members(those, NOW + 9.9)) == {"b", "c"}


def test_the_only_endpoint_is_never_ejected() -> None:
    """There is nowhere else to go; the breaker is in charge."""
    those = endpoints("a")

    assert fail(those, members(those)["a"], 50) is None
    assert those.pick(NOW, random.random).key == "a"


def test_when_more_than_half_would_be_ejected_all_are_used() -> None:
    """Panic: it is hardly the endpoints' fault then."""
    those = endpoints()
    by_name = members(those)

    first = fail(those, by_name["a"], 5)
    second = fail(those, by_name["b"], 5)

    assert (first, second) == (10.0, None)
    assert those.is_panicking
    assert set(members(those)) == {"a", "b", "c"}


def test_a_success_ends_the_panic() -> None:
    """While all are used a success is news, and the endpoint counts as well again."""
    those = endpoints()
    by_name = members(those)
    fail(those, by_name["a"], 5)
    fail(those, by_name["b"], 5)

    assert those.succeed(by_name["b"], NOW + 1)
    assert set(members(those, NOW + 1)) == {"b", "c"}


def test_new_addresses_keep_what_is_known_of_the_old_ones() -> None:
    """An endpoint that stays stays itself, ejected or not; those that go are handed back."""
    those = endpoints()
    by_name = members(those)
    fail(those, by_name["a"], 5)

    gone = those.update("abd", NOW)

    assert [member.key for member in gone] == ["c"]
    assert those.keys == ("a", "b", "d")
    assert those.ejected == ("a",)
    assert members(those)["b"] is by_name["b"]
    assert those.fail(gone[0], NOW) is None


outcomes = st.lists(
    st.tuples(st.floats(0, 15), st.booleans(), st.integers(0, 3)), min_size=1, max_size=150
)


@given(st.integers(1, 6), outcomes, st.randoms(use_true_random=False))
def test_there_is_always_an_endpoint_and_half_of_them_at_least(count, script, chance) -> None:
    """Whatever fails, calls find an endpoint, and half of all are in use or being probed."""
    those, now = endpoints("abcdef"[:count]), NOW
    for pause, is_good, overlapping in script:
        now += pause
        picked = [those.pick(now, chance.random) for _ in range(overlapping + 1)]
        for member in picked:
            (those.succeed if is_good else those.fail)(member, now)

        usable = count if those.is_panicking else count - len(those.ejected)
        assert usable >= count / 2


def test_one_bad_endpoint_of_three_gets_five_calls_and_its_probes() -> None:
    """Over ten minutes of steady calls a dead endpoint costs a handful of failures."""
    those, chance, now = endpoints(), random.Random(1).random, NOW
    received, ejections = Counter(), 0
    while now < NOW + 600:
        member = those.pick(now, chance)
        received[member.key] += 1
        if member.key == "a":
            ejections += those.fail(member, now) is not None
        else:
            those.succeed(member, now)
        now += 0.05

    assert received["a"] == 5 + (ejections - 1)
    assert ejections == pytest.approx(11, abs=1)  # 10 + 20 + … + 110 seconds


def test_an_operator_ejects_an_endpoint_for_the_given_time() -> None:
    """It gets no calls until then, though it never failed, and is probed after that."""
    those = endpoints()
    chosen = members(those)["b"]

    those.force_eject(chosen, NOW, 60)

    assert members(those, NOW + 59).keys() == {"a", "c"}
    assert those.pick(NOW + 60, lambda: 0.0) is chosen


def test_an_operator_restores_an_endpoint() -> None:
    """It gets calls at once; one that is not ejected is left as it is."""
    those = endpoints()
    chosen = members(those)["b"]
    those.force_eject(chosen, NOW, 60)

    is_restored = those.restore(chosen, NOW)

    assert (is_restored, those.restore(chosen, NOW)) == (True, False)
    assert members(those).keys() == {"a", "b", "c"}


@pytest.mark.parametrize(("names", "is_possible"), [("a", False), ("ab", True), ("abc", True)])
def test_only_a_service_with_others_can_lose_an_endpoint(names, is_possible) -> None:
    """With a single endpoint, or too few others, the ejection would change nothing."""
    those = endpoints(names)

    assert those.may_eject(members(those)["a"]) is is_possible


def test_a_second_ejection_of_two_endpoints_is_not_possible() -> None:
    """All would be used again: panic mode."""
    those = endpoints("ab")
    both = members(those)
    those.force_eject(both["a"], NOW, 60)

    assert (those.may_eject(both["a"]), those.may_eject(both["b"])) == (True, False)
