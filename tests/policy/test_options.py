"""Options: defaults, ranges, and the errors for wrong values."""

import math

import pytest

from bff_core.errors import ConfigurationError
from bff_core.policy.options import DescribedOption, described
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.concurrency import Adaptive
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry

POLICIES = (Policy, Hedge, Retry, Breaker, Bulkhead, Adaptive, Balance)
OPTIONS = [(policy, option) for policy in POLICIES for option in described(policy)]
NUMBERS = [(policy, option) for policy, option in OPTIONS if {int, float} & set(option.types)]
named = pytest.mark.parametrize(
    ("policy", "option"), NUMBERS, ids=[f"{p.__name__}.{o.name}" for p, o in NUMBERS]
)


def test_the_defaults_are_those_that_the_documentation_promises() -> None:
    """A service client without options is protected as the table of defaults says."""
    policy = Policy()

    assert (policy.timeout, policy.attempt_timeout, policy.connection.connect_timeout) == (
        (10.0, 2.5, 1.0)
    )
    assert policy.retry == Retry(
        attempts=3, backoff=0.025, backoff_max=0.25, budget_ratio=0.2, budget_min=3
    )
    assert policy.breaker == Breaker(
        failure_ratio=0.5, slow_ratio=0.5, minimum_calls=20, window=10.0, open_for=5.0
    )
    assert policy.bulkhead == Bulkhead(concurrent=100, queue=100)
    assert policy.balance == Balance(
        ejection_failures=5, eject_for=10.0, max_ejected_ratio=0.5, last_good_for=600.0
    )
    assert (policy.coalesce, policy.public, policy.critical) == (True, False, False)
    assert (policy.hedge, policy.bulkhead.adaptive) == (None, None)


@named
def test_a_value_out_of_range_names_option_range_and_value(
    policy: type, option: DescribedOption
) -> None:
    """One step below its range an option is refused, and the message says what to change."""
    too_low = option.option.at_least - 1

    with pytest.raises(ConfigurationError) as caught:
        policy(**{option.name: int(too_low) if float not in option.types else too_low})

    assert f"{policy.__name__}.{option.name} must be {option.option.range}" in str(caught.value)


@named
@pytest.mark.parametrize("value", [math.nan, True, "5", (1,)], ids=repr)
def test_a_value_that_is_not_a_number_is_refused(
    policy: type, option: DescribedOption, value: object
) -> None:
    """Neither not-a-number nor a value of another type passes for a number."""
    with pytest.raises(ConfigurationError, match=rf"{policy.__name__}\.{option.name} must be"):
        policy(**{option.name: value})


@pytest.mark.parametrize(("policy", "option"), OPTIONS)
def test_every_option_has_a_sentence_and_a_default_within_its_range(
    policy: type, option: DescribedOption
) -> None:
    """What the documentation lists is complete, and the default would be accepted if written."""
    written = policy(**{option.name: option.default})

    assert written == policy()
    assert len(option.option.sentence) > 20


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Retry(backoff=0.5), "Retry.backoff_max must be at least Retry.backoff"),
        (lambda: Retry(statuses=frozenset({200})), "Retry.statuses must be 400 to 599"),
        (lambda: Breaker(open_for=90), "Breaker.open_for_max must be at least"),
        (lambda: Balance(eject_for=900), "Balance.eject_for_max must be at least"),
        (lambda: Policy(retry=Breaker()), "Policy.retry must be Retry(...) or None"),
        (lambda: Policy(balance=None), "Policy.balance must be Balance(...)"),
        (lambda: Policy(connection=None), "Policy.connection must be Connection(...)"),
        (lambda: Policy(critical=True, breaker=None), "Policy.critical needs a breaker"),
        (lambda: Policy(reading="lax"), "Policy.reading must be strict or tolerant, not 'lax'"),
        (lambda: Policy(reading=True), "Policy.reading must be str, not True"),
        (
            lambda: Policy(naive_datetimes="Mars/Base"),
            "must be accept, refuse or the name of a zone",
        ),
        (lambda: Policy(naive_datetimes="../UTC"), "must be accept, refuse or the name of a zone"),
        (lambda: Policy(coalesce=1), "Policy.coalesce must be bool, not 1"),
        (lambda: Breaker(slow_call="x"), "Breaker.slow_call must be float or None, not 'x'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(build, message) -> None:
    """A policy that can't be meant is found when it is built."""
    with pytest.raises(ConfigurationError) as caught:
        build()

    assert message in str(caught.value)


def test_layers_can_be_left_off() -> None:
    """None leaves a layer out, or a rule within a layer."""
    policy = Policy(retry=None, breaker=Breaker(slow_call=None), bulkhead=None)

    assert (policy.retry, policy.bulkhead) == (None, None)
