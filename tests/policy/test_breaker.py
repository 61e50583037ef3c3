"""The circuit: when it opens, whom it lets probe, which results come too late."""

import itertools
import math
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bff_core.policy.upstream.breaker import Breaker, Circuit

NOW = 1000.0


def circuit(chance: float = 0.5, **options) -> Circuit:
    """With a chance of one half, an open time is neither shortened nor lengthened."""
    return Circuit(Breaker(**options), lambda: chance)


def play(circuit: Circuit, outcomes: str, now: float = NOW) -> None:
    """Let calls fail (f), succeed (s) or be slow (l) at one instant."""
    for outcome in outcomes:
        period = circuit.admit(now)
        if outcome == "f":
            circuit.fail(period, now)
        else:
            circuit.succeed(period, now, 3.0 if outcome == "l" else 0.01)


def test_it_opens_when_half_of_twenty_calls_failed() -> None:
    """The twentieth call decides if by then half of them failed."""
    breaker = circuit()

    play(breaker, "s" * 10 + "f" * 9)
    before = breaker.state
    play(breaker, "f")

    assert (before, breaker.state) == ("closed", "open")


def test_fewer_than_twenty_calls_say_nothing() -> None:
    """A quiet upstream is not cut off for a handful of failures."""
    breaker = circuit()

    play(breaker, "f" * 19)

    assert breaker.state == "closed"


def test_it_opens_when_half_of_the_calls_are_slow() -> None:
    """An upstream that answers, but late, is spared as well."""
    breaker = circuit()

    play(breaker, "s" * 10 + "l" * 10)

    assert breaker.state == "open"


def test_slow_calls_may_be_ignored() -> None:
    """Without a slow-call limit only failures count."""
    breaker = circuit(slow_call=None)

    play(breaker, "l" * 100)

    assert breaker.state == "closed"


def test_old_failures_are_forgotten() -> None:
    """Failures spread over more than the window don't add up."""
    breaker = circuit()

    play(breaker, "f" * 19, NOW)
    play(breaker, "f" * 19, NOW + 10)

    assert breaker.state == "closed"


def opened(**options) -> Circuit:
    breaker = circuit(**options)
    play(breaker, "f" * 20)
    return breaker


def test_an_open_circuit_refuses_for_five_seconds_and_says_how_long() -> None:
    """Its callers learn when to come again."""
    breaker = opened()

    assert breaker.admit(NOW + 1) is None
    assert breaker.retry_after(NOW + 1) == pytest.approx(4.0)
    assert breaker.is_refusing(NOW + 4.9)
    assert not breaker.is_refusing(NOW + 5)


def test_as_many_probes_as_allowed_are_let_through_at_once() -> None:
    """The first who ask probe; the herd waits until they have succeeded."""
    breaker = opened()

    admitted = [breaker.admit(NOW + 5) is not None for _ in range(10)]

    assert admitted == [True] * 3 + [False] * 7
    assert breaker.state == "half-open"


def test_successful_probes_close_it() -> None:
    """When all three came back well, everybody may call again."""
    breaker = opened()

    play(breaker, "ss", NOW + 5)
    between = breaker.state
    play(breaker, "s", NOW + 5)

    assert (between, breaker.state) == ("half-open", "closed")


@pytest.mark.parametrize("outcome", ["f", "l"], ids=["failed", "slow"])
def test_a_bad_probe_opens_it_again(outcome: str) -> None:
    """One failure is enough, and so is a slow answer."""
    breaker = opened()

    play(breaker, "s" + outcome, NOW + 5)

    assert breaker.state == "open"
    assert breaker.is_refusing(NOW + 9.9)


def test_a_caller_that_knows_better_opens_it_at_once() -> None:
    """Whatever the shares are; a late one, from before a change, does not."""
    circuit = Circuit(Breaker(), lambda: 0.5)
    period = circuit.admit(0.0)

    circuit.open(period, 0.0)

    assert circuit.admit(1.0) is None
    assert circuit.admit(5.0) is not None
    circuit.open(period, 5.0)
    assert circuit.state == "half-open"


def test_a_probe_that_was_cancelled_gives_its_slot_back() -> None:
    """A client that leaves neither closes the circuit nor blocks it for ever."""
    breaker = opened()
    periods = [breaker.admit(NOW + 5) for _ in range(3)]

    breaker.forget(periods[0])

    assert breaker.admit(NOW + 5) is not None
    assert breaker.admit(NOW + 5) is None


def outage(breaker: Circuit, start: float, seconds: float) -> list[float]:
    """Fail every call from `start` on, asking ten times a second; return when probes went."""
    probes, now = [], start
    while now < start + seconds:
        if (period := breaker.admit(now)) is not None:
            probes += [now] if breaker.state == "half-open" else []
            breaker.fail(period, now)
        now += 0.1
    return probes


@pytest.mark.parametrize(("seconds", "longest"), [(60, 7.4), (300, 36.2)])
def test_the_end_of_an_outage_is_noticed_within_an_eighth_of_it(seconds, longest) -> None:
    """The open time grows to a tenth of the outage, and jitter adds a fifth of that at most."""
    breaker = circuit(chance=0.999)  # the longest jitter

    probes = outage(breaker, NOW, seconds)
    pauses = [later - earlier for earlier, later in itertools.pairwise(probes)]

    assert longest * 0.8 < max(pauses) < longest


def test_the_open_time_grows_to_its_maximum() -> None:
    """An upstream that is down for a day is probed every minute."""
    breaker = circuit()

    probes = outage(breaker, NOW, 3600)

    assert probes[-1] - probes[-2] == pytest.approx(60, abs=0.2)


def test_the_open_time_is_jittered() -> None:
    """Gateways that opened together don't probe together."""
    waits = [opened(chance=chance).retry_after(NOW) for chance in (0.0, 0.5, 0.999)]

    assert waits == pytest.approx([4.0, 5.0, 6.0], abs=0.01)


def test_opening_again_soon_after_closing_goes_on_with_the_same_outage() -> None:
    """An upstream that recovers for its probes only doesn't reset the open time."""
    breaker = circuit()
    play(breaker, "f" * 20)
    outage(breaker, NOW, 100)
    play(breaker, "sss", NOW + 120)

    play(breaker, "f" * 20, NOW + 121)

    assert breaker.retry_after(NOW + 121) == pytest.approx(121 / 10)


def test_an_outage_long_after_another_starts_afresh() -> None:
    """After a window without trouble the first open time is the short one again."""
    breaker = circuit()
    outage(breaker, NOW, 100)
    play(breaker, "sss", NOW + 120)

    play(breaker, "f" * 20, NOW + 140)

    assert breaker.retry_after(NOW + 140) == pytest.approx(5.0)


def test_results_from_before_it_opened_are_ignored() -> None:
    """Case 1 and 2: calls admitted while closed neither reopen nor close a later state."""
    breaker = circuit()
    early = [breaker.admit(NOW) for _ in range(40)]
    play(breaker, "f" * 20)

    for period in early[:20]:
        breaker.succeed(period, NOW + 1, 1.0)
    still_open = breaker.is_refusing(NOW + 1)
    play(breaker, "sss", NOW + 5)
    for period in early[20:]:
        breaker.fail(period, NOW + 6)

    assert still_open
    assert breaker.state == "closed"


def test_probes_that_end_after_the_decision_are_ignored() -> None:
    """Case 3 and 4: once a probe failed, the others change nothing."""
    breaker = opened()
    first, second, third = (breaker.admit(NOW + 5) for _ in range(3))

    breaker.fail(first, NOW + 5.1)
    for late in (second, third):
        breaker.succeed(late, NOW + 5.2, 0.2)
    breaker.forget(third)
    again = [breaker.admit(NOW + 11) is not None for _ in range(4)]

    assert again == [True, True, True, False]


class NaiveCircuit:
    """The rules written down as lists of everything that happened."""

    def __init__(self) -> None:
        self.state, self.history, self.probes = "closed", [], []
        self.reopens_at = self.since = self.closed_at = -math.inf

    def admit(self, call: dict, now: float) -> bool:
        if self.state == "open" and now >= self.reopens_at:
            self.state, self.probes = "half-open", []
        allowed = self.state == "closed" or (self.state == "half-open" and len(self.probes) < 3)
        if allowed:
            call["era"] = self.probes if self.state == "half-open" else self.history
            self.probes += [call] if self.state == "half-open" else []
        return allowed

    def end(self, call: dict, outcome: str, now: float) -> None:
        if self.state == "closed" and call["era"] is self.history and outcome != "forget":
            self.history.append((int(now), outcome))
            self.judge(outcome, now)
        elif self.state == "half-open" and call["era"] is self.probes:
            self.end_probe(call, outcome, now)

    def end_probe(self, call: dict, outcome: str, now: float) -> None:
        call["outcome"] = outcome
        if outcome == "forget":
            self.probes.remove(call)
        elif outcome != "good":
            self.open(now)
        elif sum(probe.get("outcome") == "good" for probe in self.probes) == 3:
            self.state, self.history, self.closed_at = "closed", [], now

    def judge(self, outcome: str, now: float) -> None:
        recent = Counter(kind for second, kind in self.history if int(now) - second < 10)
        bad = max(recent["bad"], recent["slow"])
        if outcome != "good" and recent.total() >= 20 and bad >= recent.total() / 2:
            self.open(now)

    def open(self, now: float) -> None:
        if self.state == "closed" and now - self.closed_at > 10:
            self.since = now
        self.reopens_at = now + min(60, max(5, (now - self.since) / 10))
        self.state, self.history = "open", []


class CircuitsAgree(RuleBasedStateMachine):
    """Plays the same calls to the circuit and to the naive one."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.circuit = circuit()
        self.naive = NaiveCircuit()
        self.under_way = []

    @rule(count=st.integers(1, 25))
    def begin(self, count: int) -> None:
        for _ in range(count):
            call = {}
            call["period"] = self.circuit.admit(self.now)
            assert self.naive.admit(call, self.now) == (call["period"] is not None)
            self.under_way += [] if call["period"] is None else [call]

    @precondition(lambda self: self.under_way)
    @rule(
        outcome=st.sampled_from(["good", "bad", "bad", "slow", "forget"]),
        count=st.integers(1, 25),
        data=st.data(),
    )
    def end(self, outcome: str, count: int, data: st.DataObject) -> None:
        for _ in range(min(count, len(self.under_way))):
            index = data.draw(st.integers(0, len(self.under_way) - 1))
            self.end_one(self.under_way.pop(index), outcome)

    def end_one(self, call: dict, outcome: str) -> None:
        period = call["period"]
        if outcome == "bad":
            self.circuit.fail(period, self.now)
        elif outcome == "forget":
            self.circuit.forget(period)
        else:
            self.circuit.succeed(period, self.now, 2.0 if outcome == "slow" else 1.9)
        self.naive.end(call, outcome, self.now)

    @rule(seconds=st.sampled_from([0.25, 1.0, 3.0, 5.0, 10.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def they_agree(self) -> None:
        assert self.circuit.state == self.naive.state


TestCircuitsAgree = CircuitsAgree.TestCase
TestCircuitsAgree.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_an_operator_opens_it_for_the_given_time() -> None:
    """It refuses calls until then, whatever they would have found, and probes after that."""
    breaker = circuit()

    breaker.force_open(NOW, 60)

    assert (breaker.admit(NOW + 59), breaker.is_forced(NOW + 59)) == (None, True)
    assert breaker.admit(NOW + 60) is not None
    assert (breaker.state, breaker.is_forced(NOW + 60)) == ("half-open", False)


def test_results_from_before_an_operator_opened_it_are_ignored() -> None:
    """A call that was under way neither closes it nor counts."""
    breaker = circuit()
    period = breaker.admit(NOW)

    breaker.force_open(NOW, 60)
    breaker.succeed(period, NOW, 0.01)

    assert (breaker.state, breaker.retry_after(NOW)) == ("open", 60)


def test_a_failed_probe_after_an_operators_time_opens_it_as_usual() -> None:
    """The open time is that of the policy again, and no operator is named for it."""
    breaker = circuit(open_for=5, open_for_max=60)
    breaker.force_open(NOW, 10)

    breaker.fail(breaker.admit(NOW + 10), NOW + 10)

    assert (breaker.retry_after(NOW + 10), breaker.is_forced(NOW + 10)) == (5, False)


def test_an_operator_closes_it_with_a_clean_record() -> None:
    """The failures that opened it are forgotten; a closed circuit is left as it is."""
    breaker = circuit()
    play(breaker, "f" * 20)

    is_reset = breaker.reset(NOW)

    assert (is_reset, breaker.reset(NOW)) == (True, False)
    assert (breaker.state, breaker.counts(NOW).failed) == ("closed", 0)


def test_its_counts_are_those_of_the_window() -> None:
    """Calls, failures and slow calls are counted as long as they are recent."""
    breaker = circuit(window=10)
    play(breaker, "sfl")

    now, later = breaker.counts(NOW), breaker.counts(NOW + 20)

    assert (now.calls, now.failed, now.slow) == (3, 1, 1)
    assert (later.calls, later.failed, later.slow) == (0, 0, 0)
