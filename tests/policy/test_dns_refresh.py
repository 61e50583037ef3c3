"""Addresses of a name: when they are looked up, and how long old ones serve."""

from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.dns_refresh import DnsRefresh

NOW = 1000.0


def test_a_name_is_looked_up_at_once_and_then_every_half_minute() -> None:
    """Addresses that change are noticed within thirty seconds."""
    name = DnsRefresh(Balance())
    first = name.next_lookup

    name.succeed(("10.0.0.1",), NOW)

    assert first <= NOW
    assert (name.addresses, name.next_lookup) == (("10.0.0.1",), NOW + 30)


def test_a_failed_lookup_is_repeated_soon_and_the_last_good_addresses_stay() -> None:
    """A resolver that is down for a while goes unnoticed by the callers."""
    name = DnsRefresh(Balance())
    name.succeed(("10.0.0.1",), NOW)

    name.fail(NOW + 30)

    assert (name.addresses, name.next_lookup) == (("10.0.0.1",), NOW + 31)


def test_addresses_that_cannot_be_confirmed_go_in_the_end() -> None:
    """After ten minutes without an answer it is better to fail at once."""
    name = DnsRefresh(Balance())
    name.succeed(("10.0.0.1",), NOW)

    name.fail(NOW + 599)
    shortly_before = name.addresses
    name.fail(NOW + 600)

    assert (shortly_before, name.addresses) == (("10.0.0.1",), ())
