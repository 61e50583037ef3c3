"""What an operator's file says of policies: read strictly, merged over the code, compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError
from bff_core.policy.options import described
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.concurrency import Adaptive
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.overrides import Overrides, differences
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry

SOURCE = "policies.toml"


def over(text: str, policy: Policy | None = None) -> Policy:
    return Overrides.parse(text, SOURCE).over("users", policy or Policy())


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("", Policy()),
        ("[orders]\ntimeout = 1", Policy()),
        ("[users]\ntimeout = 0.5", Policy(timeout=0.5)),
        ("[users]\ntimeout = 2", Policy(timeout=2)),
        ("[users.retry]\nattempts = 1", Policy(retry=Retry(attempts=1))),
        ("[users]\nretry.statuses = [503]", Policy(retry=Retry(statuses=frozenset({503})))),
        ("[users]\nbulkhead = false", Policy(bulkhead=None)),
        ("[users]\nhedge = true", Policy(hedge=Hedge())),
        ("[users.hedge]\nquantile = 0.9", Policy(hedge=Hedge(quantile=0.9))),
        ("[users.breaker]\nslow_call = false", Policy(breaker=Breaker(slow_call=None))),
        (
            "[users.bulkhead]\nconcurrent = 50\nadaptive.least = 2",
            Policy(bulkhead=Bulkhead(concurrent=50, adaptive=Adaptive(least=2))),
        ),
        ('[users]\nreading = "tolerant"', Policy(reading="tolerant")),
        ('[users]\nnaive_datetimes = "Asia/Tokyo"', Policy(naive_datetimes="Asia/Tokyo")),
        (
            '[users.connection]\naccept_encoding = ["gzip"]',
            Policy(connection=Connection(accept_encoding=("gzip",))),
        ),
    ],
)
def test_a_file_changes_only_the_options_that_it_names(text: str, policy: Policy) -> None:
    """Options, layers, options of layers: all else stays as in the code."""
    assert over(text) == policy


def test_an_override_leaves_other_options_unchanged() -> None:
    """An override of one option leaves the others as the code has them."""
    authors = Policy(timeout=0.8, retry=Retry(attempts=2, backoff=0.1), public=True)

    changed = over("[users.retry]\nattempts = 5", authors)

    assert changed == Policy(timeout=0.8, retry=Retry(attempts=5, backoff=0.1), public=True)


def test_a_layer_that_the_code_leaves_out_is_put_in() -> None:
    """With its defaults, or with what the table says."""
    bare = Policy(retry=None)

    assert over("[users]\nretry = true", bare).retry == Retry()
    assert over("[users.retry]\nattempts = 2", bare).retry == Retry(attempts=2)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[users", "policies.toml: Expected ']'"),
        ("[users]\ntimout = 1", "users.timout is no option: did you mean timeout?"),
        ("[users.retry]\natempts = 1", "users.retry.atempts is no option: did you mean attempts?"),
        ("[users]\nxyz = 1", "users.xyz is no option; there are affinity, attempt_timeout, "),
        ("[users]\ntimeout = 0", "users.timeout must be 0.001 to 3,600, not 0"),
        ("[users]\ntimeout = nan", "users.timeout must be 0.001 to 3,600, not nan"),
        ("[users]\ntimeout = '1s'", "users.timeout must be float, not '1s'"),
        ("[users]\ntimeout = true", "users.timeout must be float, not True"),
        ("[users]\ncritical = 1", "users.critical must be bool, not 1"),
        ("[users.breaker]\nslow_call = 0", "users.breaker.slow_call must be 0.001 to 600, not 0"),
        ("[users.breaker]\nslow_call = 'x'", "slow_call must be float or false, not 'x'"),
        ("[users]\nretry = 3", "users.retry must be a table, [users.retry], true or false, not 3"),
        ("[users]\nbalance = false", "users.balance must be a table, [users.balance], not False"),
        ("users = 3", "users must be a table, [users]"),
        ("[users.retry]\nbackoff = 9", "[users.retry] Retry.backoff_max must be at least"),
        ("[users.retry]\nstatuses = ['5xx']", "statuses must be a list of statuses, not ['5xx']"),
        ("[users]\ncritical = true\nbreaker = false", "[users] Policy.critical needs a breaker"),
        ("[users.connection]\naccept_encoding = [['gzip']]", "[users.connection] "),
        ("[users.connection]\nca_file = '/no/such'", "Connection.ca_file must be a readable file"),
        (
            "[users]\nreading = 'lax'",
            "Policy.reading must be strict or tolerant, not 'lax'",
        ),
        ("[users]\nnaive_datetimes = 7", "users.naive_datetimes must be str, not 7"),
        ("[users]\npublic = true", "users.public can't be turned on here"),
    ],
)
def test_an_error_names_file_key_and_remedy(text: str, complaint: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        over(text)

    assert str(caught.value).startswith("policies.toml: ")
    assert complaint in str(caught.value)


def test_a_write_that_was_sent_once_is_not_sent_twice_by_a_file() -> None:
    """Only the code can declare that a service supports keys; a file may turn it off."""
    with pytest.raises(ConfigurationError, match=r"users\.keyed can't be turned on here"):
        over("[users]\nkeyed = true", Policy(keyed=False))

    assert over("[users]\nkeyed = false\npublic = false", Policy(public=True)) == Policy(
        keyed=False
    )


def test_a_table_for_an_unknown_upstream_is_refused() -> None:
    """A misspelt upstream would otherwise go unnoticed."""
    overrides = Overrides.parse("[user]\ntimeout = 1", SOURCE)

    with pytest.raises(ConfigurationError) as caught:
        overrides.check_names({"users", "orders"})

    expected = "policies.toml: [user] is no upstream of this gateway: did you mean users?"
    assert str(caught.value) == expected


def test_changes_are_reported_option_by_option() -> None:
    """The log shows old and new value of each."""
    old = Policy(timeout=0.8, bulkhead=Bulkhead(concurrent=5))
    new = Policy(timeout=0.5, retry=None, hedge=Hedge(), bulkhead=Bulkhead(concurrent=9))

    assert list(differences(old, new, "users")) == [
        "users.timeout: 0.8 -> 0.5",
        "users.hedge: off -> on",
        "users.retry: on -> off",
        "users.bulkhead.concurrent: 5 -> 9",
    ]
    assert list(differences(old, old, "users")) == []


numbers = [
    (name, one)
    for name, kind in (("retry", Retry), ("breaker", Breaker), ("hedge", Hedge))
    for one in described(kind)
]


@given(
    st.sampled_from(numbers),
    st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=5), st.none()),
)
def test_a_value_is_taken_or_refused_by_name(slot, value) -> None:
    """Whatever a file holds: a policy that is in range, or an error that names the key."""
    name, option = slot
    outcome = policy_or_error(Overrides({"users": {name: {option.name: value}}}, SOURCE))

    taken = getattr(getattr(outcome, name, None), option.name, value)
    text = outcome if isinstance(outcome, str) else f"users.{name}"
    assert f"users.{name}" in text
    assert isinstance(outcome, str) or option.complaint(taken) == ""


def policy_or_error(overrides: Overrides) -> Policy | str:
    try:
        return overrides.over("users", Policy())
    except ConfigurationError as error:
        return str(error)
