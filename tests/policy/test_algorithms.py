"""Balancing algorithms: how calls are spread, and which keys move when endpoints change."""

import random
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.upstream.algorithms.at_random import AtRandom
from bff_core.policy.upstream.algorithms.least_requests import LeastRequests
from bff_core.policy.upstream.algorithms.power_of_two import PowerOfTwo
from bff_core.policy.upstream.algorithms.rendezvous import Rendezvous, hash_of
from bff_core.policy.upstream.algorithms.round_robin import RoundRobin
from bff_core.policy.upstream.endpoint_set import ALGORITHMS

KEYS = [f"viewer:{number}".encode() for number in range(4000)]

shares = st.lists(st.integers(1, 1000), min_size=2, max_size=12)


@dataclass
class One:
    """An endpoint, as far as algorithms know it."""

    name: str
    share: float = 1.0
    in_flight: int = 0
    turn: float = 0.0

    def __post_init__(self) -> None:
        self.seed = hash_of(self.name.encode())


def ones(*shares: float) -> list[One]:
    return [One(f"http://10.0.0.{number}:80", share) for number, share in enumerate(shares)]


def counts(algorithm, members: list[One], times: int, *, ends: bool = True) -> list[float]:
    """Return the part of the calls that each endpoint gets; `ends` is whether calls end."""
    chance, pick = random.Random(7).random, algorithm().among(members)
    found: Counter[str] = Counter()
    for _ in range(times):
        one = pick(chance, b"")
        found[one.name] += 1
        one.in_flight += not ends
    return [found[member.name] / times for member in members]


def owners(members: list[One], keys: list[bytes] = KEYS) -> dict[bytes, str]:
    pick = Rendezvous().among(members)
    return {key: pick(random.random, key).name for key in keys}


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (5, 1, 1), (1, 2, 3, 4), (1000, 1)])
def test_idle_endpoints_get_calls_by_their_weight(algorithm, weights) -> None:
    """Whatever the algorithm, calls that end at once are spread by the weights."""
    found = counts(algorithm, ones(*weights), 8000)

    assert found == pytest.approx([one / sum(weights) for one in weights], abs=0.02)


@pytest.mark.parametrize("algorithm", [PowerOfTwo, LeastRequests, RoundRobin])
@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 3), (1, 2, 3, 4)])
def test_calls_that_pile_up_are_spread_by_weight(algorithm, weights) -> None:
    """Of 3,000 calls that never end, an endpoint holds its share, within two percent."""
    found = counts(algorithm, ones(*weights), 3000, ends=False)

    assert found == pytest.approx([one / sum(weights) for one in weights], abs=0.02)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_one_endpoint_takes_all_calls_and_none_takes_nothing(algorithm) -> None:
    """The edges of each algorithm: a single endpoint, and no endpoint."""
    (only,) = ones(0.1)

    assert algorithm().among([only])(random.random, b"key") is only
    assert algorithm().among([])(random.random, b"key") is None


@given(shares, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_two_endpoints_are_drawn_that_differ(weights, first, second) -> None:
    """Whatever chance says, also at its edges, the two that are compared are two."""
    members = ones(*weights)
    for member in members[:-1]:
        member.in_flight = 1
    draws = iter([first, second])

    picked = PowerOfTwo().among(members)(lambda: next(draws), b"")

    assert picked in members


def test_the_busier_of_two_is_judged_by_weight() -> None:
    """Three calls on an endpoint of weight 4 are less than one call on one of weight 1."""
    small, large = ones(1, 4)
    small.in_flight, large.in_flight = 1, 3
    pick = PowerOfTwo().among([small, large])

    assert {pick(random.random, b"").name for _ in range(50)} == {large.name}


def test_least_requests_never_picks_a_busier_endpoint() -> None:
    """It compares all of them, not two."""
    members = ones(*[1] * 10)
    for member in members[1:]:
        member.in_flight = 1

    picked = {LeastRequests().among(members)(random.random, b"").name for _ in range(50)}

    assert picked == {members[0].name}


def test_round_robin_is_smooth() -> None:
    """With weights 5, 1, 1 the heavy endpoint does not take five calls in a row."""
    members = ones(5, 1, 1)
    pick = RoundRobin().among(members)

    order = [members.index(pick(random.random, b"")) for _ in range(14)]

    assert order == [0, 0, 1, 0, 2, 0, 0] * 2


@given(shares)
def test_round_robin_is_exact(weights) -> None:
    """After as many calls as the weights add up to, each endpoint had exactly its own."""
    weights = [1 + weight % 20 for weight in weights]
    members = ones(*weights)
    pick = RoundRobin().among(members)

    found = Counter(pick(random.random, b"").name for _ in range(sum(weights)))

    assert [found[member.name] for member in members] == weights


def test_equal_keys_go_to_one_endpoint_in_every_process() -> None:
    """The owner of a key depends on addresses only, not on their order or on the process."""
    members = ones(1, 1, 1, 1)

    assert owners(members) == owners(members[::-1])
    assert owners(members)[b"viewer:1"] == "http://10.0.0.1:80"
    assert hash_of(b"viewer:1") == 0xDD4D9F5FF937D015


@pytest.mark.parametrize("weights", [(1,) * 4, (1,) * 50, (3, 1, 1, 1)], ids=["4", "50", "uneven"])
def test_only_the_keys_of_a_removed_endpoint_move(weights) -> None:
    """All others stay, and its own are spread evenly over the others."""
    members = ones(*weights)
    before, after = owners(members), owners(members[1:])

    moved = Counter(after[key] for key in KEYS if before[key] != after[key])
    own = sum(owner == members[0].name for owner in before.values())

    assert sum(moved.values()) == own
    assert all(before[key] == after[key] for key in KEYS if before[key] != members[0].name)
    assert max(moved.values()) < 3 * own / (len(members) - 1) + 10


@pytest.mark.parametrize("weight", [1, 2])
def test_an_added_endpoint_takes_its_share_and_moves_no_other_key(weight) -> None:
    """A fifth endpoint gets a fifth of the keys (or a third of them, with weight 2 of 6)."""
    members = ones(1, 1, 1, 1, weight)
    before, after = owners(members[:-1]), owners(members)

    moved = [key for key in KEYS if before[key] != after[key]]

    assert {after[key] for key in moved} == {members[-1].name}
    assert len(moved) / len(KEYS) == pytest.approx(weight / (4 + weight), abs=0.025)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=6), st.integers(1, 1000))
def test_more_weight_only_attracts_keys(weights, more) -> None:
    """When the weight of an endpoint grows, as in a slow start, no key moves but to it."""
    members, keys = ones(*weights), KEYS[:200]
    before = owners(members, keys)
    members[0].share += more
    after = owners(members, keys)

    assert {after[key] for key in keys if before[key] != after[key]} <= {members[0].name}


def test_calls_without_a_key_go_to_the_less_busy_of_two() -> None:
    """Anonymous viewers share no key: they must not all go to one endpoint."""
    found = counts(Rendezvous, ones(1, 1, 1), 3000, ends=False)

    assert found == pytest.approx([1 / 3] * 3, abs=0.02)


def test_random_ignores_load() -> None:
    """A busy endpoint gets as many calls as an idle one."""
    members = ones(1, 1)
    members[0].in_flight = 1000

    assert counts(AtRandom, members, 4000) == pytest.approx([0.5, 0.5], abs=0.03)
