"""When the addresses of a name are looked up, and how long old ones stay good."""

from bff_core.policy.upstream.balance import Balance

AGAIN_AFTER = 1.0
"""How soon a lookup that failed is repeated, in seconds."""

PATIENCE = 2.0
"""How long calls wait for a lookup, in seconds; then it counts as failed until it ends."""


class Resolution:
    """What is known of one name: its addresses, and until when they may be used.

    Addresses that can't be confirmed stay good for `last_good_for` seconds; then there are none,
    so that calls fail at once. `next_lookup` is an instant.
    """

    __slots__ = ("_confirmed_at", "_options", "addresses", "next_lookup")

    def __init__(self, options: Balance) -> None:
        self._options = options
        self._confirmed_at = 0.0
        self.addresses: tuple[str, ...] = ()
        self.next_lookup = 0.0

    def succeed(self, addresses: tuple[str, ...], now: float) -> None:
        """Take the addresses that a lookup found."""
        self.addresses = addresses
        self._confirmed_at = now
        self.next_lookup = now + self._options.resolve_every

    def fail(self, now: float) -> None:
        """Note that a lookup failed; addresses that are too old go."""
        self.next_lookup = now + min(AGAIN_AFTER, self._options.resolve_every)
        if now - self._confirmed_at >= self._options.last_good_for:
            self.addresses = ()
