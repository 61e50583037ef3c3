"""DNS refresh: when a name is looked up, and how long old addresses stay valid."""

from bff_core.policy.upstream.balance import Balance

RETRY_SECONDS = 1.0
"""The delay before a failed lookup is repeated."""

LOOKUP_TIMEOUT_SECONDS = 2.0
"""How long calls wait for a lookup; after that it counts as failed."""


class DnsRefresh:
    """The addresses of one name, and until when they may be used.

    While lookups fail, the addresses stay valid for `last_good_for` seconds; after that there are
    none, and calls fail at once. `next_lookup` is an instant.
    """

    __slots__ = ("_confirmed_at", "_options", "addresses", "next_lookup")

    def __init__(self, options: Balance) -> None:
        self._options = options
        self._confirmed_at = 0.0
        self.addresses: tuple[str, ...] = ()
        self.next_lookup = 0.0

    def succeed(self, addresses: tuple[str, ...], now: float) -> None:
        """Store the addresses that a lookup found."""
        self.addresses = addresses
        self._confirmed_at = now
        self.next_lookup = now + self._options.resolve_every

    def fail(self, now: float) -> None:
        """Record a failed lookup; remove addresses that are too old."""
        self.next_lookup = now + min(RETRY_SECONDS, self._options.resolve_every)
        if now - self._confirmed_at >= self._options.last_good_for:
            self.addresses = ()
