"""Which endpoints take calls: weights, priorities, slow start, health and panic together."""

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError
from bff_core.policy import Balance
from bff_core.policy.upstream.endpoint_set import EndpointSet
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.member import Member

NOW = 1000.0

Found = EndpointSet[str, str]


def options(weight: int = 1, priority: int = 0) -> EndpointOptions:
    return EndpointOptions("http://10.0.0.1", weight=weight, priority=priority)


def endpoints(own: Mapping[str, EndpointOptions] | str, *, is_checked=False, **more) -> Found:
    made: Found = EndpointSet(Balance(**more), str.upper, is_checked=is_checked)
    made.update(own, NOW, own if isinstance(own, Mapping) else {})
    return made


def member(those: Found, key: str) -> Member[str, str]:
    return next(one for one in those.members if one.key == key)


def shares(those: Found, now: float = NOW, times: int = 4000) -> dict[str, float]:
    """Return the part of the calls that each endpoint gets now."""
    chance = random.Random(3).random
    found = Counter(those.pick(now, chance).key for _ in range(times))
    return {key: round(count / times, 2) for key, count in sorted(found.items())}


def eject(those: Found, *keys: str, now: float = NOW) -> None:
    for key in keys:
        for _ in range(5):
            those.fail(member(those, key), now)


def put_down(those: Found, *keys: str, now: float = NOW) -> None:
    for key in keys:
        those.set_health(member(those, key), is_up=False, now=now)


def put_up(those: Found, *keys: str, now: float = NOW) -> None:
    for key in keys:
        those.set_health(member(those, key), is_up=True, now=now)


def test_weights_are_applied() -> None:
    """An endpoint of weight 3 gets three of four calls."""
    assert shares(endpoints({"a": options(1), "b": options(3)})) == pytest.approx(
        {"a": 0.25, "b": 0.75}, abs=0.02
    )


def test_a_changed_weight_leaves_calls_and_failures_alone() -> None:
    """The endpoint stays the same object: its connections and its failures stay, too."""
    those = endpoints({"a": options(1), "b": options(1)})
    before = member(those, "a")
    before.in_flight = 2

    those.update("ab", NOW, {"a": options(0), "b": options(1)})

    assert member(those, "a") is before
    assert shares(those) == {"b": 1.0}


def test_a_drained_endpoint_gets_no_new_calls_but_its_own() -> None:
    """Weight 0: only calls that belong to it may go there, also when others are out (panic)."""
    those = endpoints({"a": options(0), "b": options(1), "c": options(1)})

    assert set(shares(those)) == {"b", "c"}
    assert those.takes(member(those, "a"), NOW)
    eject(those, "b", "c")
    assert those.is_panicking
    assert set(shares(those)) == {"b", "c"}


def test_if_all_are_drained_there_is_none_to_pick() -> None:
    """No endpoint takes new calls."""
    assert endpoints({"a": options(0)}).pick(NOW, random.random) is None


def test_the_lowest_priority_number_takes_the_calls() -> None:
    """Endpoints of other numbers are idle, whatever their weight."""
    those = endpoints({"a": options(1), "b": options(1), "far": options(1000, 1)})

    assert set(shares(those)) == {"a", "b"}


def test_a_higher_number_takes_over_when_all_lower_ones_are_out() -> None:
    """As long as one is in order, it takes all calls; then the next number does, and back again."""
    those = endpoints({"a": options(), "b": options(), "far": options(1, 1), "away": options(1, 2)})
    eject(those, "a")
    assert set(shares(those)) == {"b"}

    eject(those, "b")
    assert set(shares(those)) == {"far"}
    assert not those.is_panicking

    eject(those, "far")
    assert set(shares(those)) == {"away"}

    those.restore(member(those, "a"), NOW)
    assert set(shares(those)) == {"a"}


def test_with_another_priority_in_order_no_endpoint_that_is_out_is_used() -> None:
    """Two of three are out: that is no panic while remote endpoints could take over."""
    own = dict.fromkeys("abc", options()) | {"far": options(1, 1)}
    those = endpoints(own)
    eject(those, "a", "b")

    assert not those.is_panicking
    assert set(shares(those)) == {"c"}


def test_if_every_priority_is_out_the_lowest_number_is_used() -> None:
    """Panic: the fault is probably elsewhere, and the nearest endpoints get the calls."""
    those = endpoints({"a": options(), "b": options(), "far": options(1, 1)})
    eject(those, "a", "b", "far")

    assert those.is_panicking
    assert set(shares(those)) == {"a", "b"}


def test_an_ejected_endpoint_of_the_better_priority_is_probed_by_a_call() -> None:
    """That is how the calls come back from the remote endpoints."""
    those = endpoints({"a": options(), "far": options(1, 1)})
    eject(those, "a")

    assert those.pick(NOW + 9.9, random.random).key == "far"
    probe = those.pick(NOW + 10, random.random)
    assert probe.key == "a"
    those.succeed(probe, NOW + 10)
    assert set(shares(those, NOW + 10)) == {"a"}


def test_an_idle_priority_is_not_probed_by_calls() -> None:
    """A remote endpoint that was ejected gets no call while the near ones are in order."""
    those = endpoints({"a": options(), "b": options(), "far": options(1, 1)})
    eject(those, "far")

    assert set(shares(those, NOW + 60)) == {"a", "b"}


def test_a_retry_leaves_the_priority_if_it_has_no_other_endpoint() -> None:
    """A second attempt at a remote endpoint is better than one where the first has failed."""
    those = endpoints({"a": options(), "far": options(1, 1), "away": options(1, 2)})

    assert those.pick(NOW, random.random, ("a",)).key == "far"
    assert those.pick(NOW, random.random, ("a", "far")).key == "away"
    assert those.pick(NOW, random.random, ("a", "far", "away")).key == "a"
    assert those.has_other({"a"})


def test_the_share_of_a_new_endpoint_grows() -> None:
    """It begins with a tenth, has a half of its weight after half the time, and then all."""
    those = endpoints("a", slow_start=30.0)
    those.update("ab", NOW)

    assert shares(those)["b"] == pytest.approx(0.1 / 1.1, abs=0.02)
    assert shares(those, NOW + 15)["b"] == pytest.approx(0.5 / 1.5, abs=0.02)
    assert shares(those, NOW + 30)["b"] == pytest.approx(0.5, abs=0.02)


def test_a_restored_endpoint_starts_slowly() -> None:
    """Its caches are cold: it is not given its whole share at once."""
    those = endpoints("abc", slow_start=30.0)
    eject(those, "a")
    those.restore(member(those, "a"), NOW + 20)

    assert shares(those, NOW + 20)["a"] == pytest.approx(0.1 / 2.1, abs=0.02)
    assert shares(those, NOW + 50)["a"] == pytest.approx(1 / 3, abs=0.02)


def test_endpoints_that_start_together_share_evenly() -> None:
    """No other endpoint could spare them: each gets its full share at once."""
    assert shares(endpoints("ab", slow_start=30.0)) == pytest.approx({"a": 0.5, "b": 0.5}, abs=0.02)


def test_an_endpoint_that_is_down_gets_no_calls() -> None:
    """Active probes count like ejections."""
    those = endpoints("abc", is_checked=True)
    put_up(those, "a", "b")
    put_down(those, "c")

    assert set(shares(those)) == {"a", "b"}
    assert those.out == ("c",)
    assert those.ejected == ()


def test_panic_counts_ejected_endpoints_and_those_that_are_down() -> None:
    """One of each makes two of three: more than half, so all are used."""
    those = endpoints("abc", is_checked=True)
    put_up(those, "a", "b")
    put_down(those, "c")
    assert not those.is_panicking

    eject(those, "b")

    assert those.is_panicking
    assert set(shares(those)) == {"a", "b", "c"}
    assert those.takes(member(those, "c"), NOW)


def test_all_endpoints_are_used_while_none_was_probed() -> None:
    """A gateway that has just started does not wait for probes."""
    assert set(shares(endpoints("ab", is_checked=True))) == {"a", "b"}


def test_a_new_endpoint_waits_for_its_first_good_probe() -> None:
    """Beside endpoints that are known to be up, an unknown one gets nothing yet."""
    those = endpoints("ab", is_checked=True)
    put_up(those, "a", "b")
    those.update("abc", NOW)
    assert set(shares(those)) == {"a", "b"}
    assert not those.is_panicking

    put_up(those, "c")

    assert set(shares(those)) == {"a", "b", "c"}


def test_unknown_endpoints_do_not_count_for_panic() -> None:
    """Three new endpoints beside one that is up: no panic, although most are not in order."""
    those = endpoints("a", is_checked=True)
    put_up(those, "a")
    those.update("abcd", NOW)

    assert set(shares(those)) == {"a"}
    assert not those.is_panicking


def test_unknown_endpoints_are_used_if_the_known_ones_are_down() -> None:
    """An endpoint that may work is better than one that does not."""
    those = endpoints("a", is_checked=True)
    put_up(those, "a")
    those.update("abc", NOW)
    put_down(those, "a")

    assert set(shares(those)) == {"b", "c"}


def test_new_endpoints_take_calls_at_once_if_no_other_is_up() -> None:
    """If all that were known are down, a replacement does not wait for its probe."""
    those = endpoints("a", is_checked=True)
    put_down(those, "a")
    those.update("ab", NOW)

    assert set(shares(those)) == {"b"}


def test_an_endpoint_that_is_down_is_not_probed_by_calls() -> None:
    """The prober finds out, at no client's cost."""
    those = endpoints("abc", is_checked=True)
    eject(those, "a")
    put_down(those, "a")

    assert set(shares(those, NOW + 60)) == {"b", "c"}


@pytest.mark.parametrize(
    ("name", "prepare", "expected"),
    [
        ("in order", lambda those: None, True),
        ("ejected", lambda those: eject(those, "a"), False),
        ("down", lambda those: put_down(those, "a"), False),
        ("of a higher priority number", lambda those: those.update(
            "abc", NOW, {"a": options(1, 5)}), True),
        ("drained", lambda those: those.update("abc", NOW, {"a": options(0)}), True),
        ("in panic", lambda those: eject(those, "a", "b"), True),
    ],
)  # fmt: skip
def test_which_endpoint_takes_a_call_that_belongs_to_it(name, prepare, expected) -> None:
    """The rule of affinity, row by row."""
    those = endpoints("abc", is_checked=True)
    put_up(those, "a", "b", "c")
    own = member(those, "a")
    prepare(those)

    assert those.takes(own, NOW) is expected, name


def test_a_removed_endpoint_takes_no_call() -> None:
    """It is not there any more."""
    those = endpoints("abc")
    own = member(those, "a")
    those.update("bc", NOW)

    assert not those.takes(own, NOW)


def test_an_ejected_endpoint_takes_a_call_of_its_own_as_its_probe() -> None:
    """After its time one call may try it, also one that belongs to it."""
    those = endpoints("abc")
    own = member(those, "a")
    eject(those, "a")

    assert those.takes(own, NOW + 10)
    own.in_flight = 1
    assert not those.takes(own, NOW + 10)


steps = st.lists(
    st.tuples(
        st.sampled_from(["fail", "succeed", "down", "up", "eject", "restore", "update"]),
        st.sampled_from("abcd"),
        st.floats(0, 30),
    ),
    max_size=40,
)


@given(steps, st.sampled_from(["power-of-two", "least-requests", "round-robin", "random", "hash"]))
def test_whatever_happens_some_endpoint_takes_the_call(happened, algorithm) -> None:
    """A call is refused only if there is no endpoint with a weight, and a drained one gets none."""
    those = endpoints("abc", is_checked=True, algorithm=algorithm, slow_start=5.0)
    chance, now = random.Random(1).random, NOW
    for what, key, seconds in happened:
        now += seconds
        change(those, what, key, now)

        picked = those.pick(now, chance, (), key.encode())
        again = those.pick(now, chance, (picked.key,) if picked else ())

        has_weight = any(found.weight for found in those.members)
        assert (picked is not None) is has_weight
        assert picked is None or picked.weight
        assert (again is not None) is has_weight


def change(those: Found, what: str, key: str, now: float) -> None:
    one = next((found for found in those.members if found.key == key), None)
    match what:
        case "update":
            own = {name: options(ord(name) % 3, ord(key) % 2) for name in "abcd" if name != key}
            those.update(own, now, own)
        case _ if one is None:
            return
        case "fail":
            eject(those, key, now=now)
        case "succeed":
            those.succeed(one, now)
        case "down" | "up":
            those.set_health(one, is_up=what == "up", now=now)
        case "eject":
            those.force_eject(one, now, 7.0)
        case "restore":
            those.restore(one, now)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"algorithm": "fastest"}, "algorithm must be one of power-of-two, least-requests"),
        ({"hash_by": "header:"}, "hash_by must be viewer, path, header:NAME or cookie:NAME"),
        ({"hash_by": "header:a b"}, "hash_by must be"),
        ({"hash_by": "ip"}, "hash_by must be"),
        ({"slow_start": -1.0}, "slow_start must be 0 to 3,600"),
    ],
)
def test_wrong_options_of_balancing_are_refused(wrong, message) -> None:
    """Each error names the option and what it accepts."""
    with pytest.raises(ConfigurationError, match=message):
        Balance(**wrong)


@pytest.mark.parametrize(
    ("url", "more", "message"),
    [
        ("10.0.0.1:80", {}, "starts with http://, https:// or dns://"),
        ("ftp://a", {}, "starts with http://, https:// or dns://"),
        ("srv://_http._tcp.a", {}, "starts with http://, https:// or dns://"),
        ("http://", {}, "and a host"),
        ("http://a b", {}, "neither spaces nor control characters"),
        ("http://a\n", {}, "neither spaces nor control characters"),
        ("http://user:secret@a", {}, "holds no credentials"),
        ("http://a?x=1", {}, "neither query nor fragment"),
        ("http://a#x", {}, "neither query nor fragment"),
        ("http://a:0", {}, "port 0"),
        (7, {}, "url must be text"),
        ("http://a", {"weight": -1}, "weight must be 0 to 1,000"),
        ("http://a", {"weight": 1001}, "weight must be 0 to 1,000"),
        ("http://a", {"weight": 1.5}, "weight must be int"),
        ("http://a", {"weight": True}, "weight must be int"),
        ("http://a", {"priority": -1}, "priority must be 0 to 1,000"),
        ("http://a", {"zone": None}, "zone must be str"),
        ("http://a", {"metadata": {"a": 1}}, "metadata must map text to text"),
        ("http://a", {"wieght": 2}, "is weight meant"),
    ],
)
def test_wrong_endpoints_are_refused(url, more, message) -> None:
    """Each error names the option, and what it accepts."""
    with pytest.raises(ConfigurationError, match=message):
        EndpointOptions(url, **more)


def test_an_address_loses_the_slash_at_its_end() -> None:
    """Targets begin with one."""
    assert EndpointOptions("http://10.0.0.1/v1/").url == "http://10.0.0.1/v1"
