"""Consistent hashing: calls with the same key go to the same endpoint.

Rendezvous hashing, not a ring: each endpoint scores each key, and the highest score wins. If an
endpoint leaves, only its own keys move, evenly to all others; if one joins, it takes its share of
the keys, and no other key moves. A ring comes near that only with hundreds of points for each
endpoint. The price is a call's time in proportion to the number of endpoints.

Sources: "Using name-based mappings to increase hit rates", Thaler and Ravishankar 1998; shares as
in "Weighted distributed hash tables", Schindelhauer and Schomaker 2005.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from typing import Final

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.interface import C, Pick, are_even, of_few
from bff_core.policy.upstream.algorithms.power_of_two import PowerOfTwo

_MASK: Final = 2**64 - 1
_HALF: Final = 2**53


class Rendezvous:
    """The same for equal addresses in all processes; calls without a key: power of two choices."""

    def among(self, members: Sequence[C]) -> Pick[C]:
        """Return the choice."""
        if len(members) < 2:
            return of_few(members)
        without_key = PowerOfTwo().among(members)
        choose = _evenly if are_even(members) else _by_share

        def pick(chance: Chance, key: bytes) -> C | None:
            return choose(members, hash_of(key)) if key else without_key(chance, key)

        return pick


def hash_of(text: bytes) -> int:
    """Return 64 bits that depend on all bytes of a text, the same in each process."""
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _evenly(members: Sequence[C], key: int) -> C:
    return max(members, key=lambda member: _mixed(key ^ member.seed))


def _by_share(members: Sequence[C], key: int) -> C:
    # For u in (0, 1], -log(u) / share has an exponential distribution; the least of several is that
    # of each member as often as its share says.
    return min(
        members,
        key=lambda one: -log(((_mixed(key ^ one.seed) >> 11) + 1) / _HALF) / one.share,
    )


def _mixed(number: int) -> int:
    """Return 64 well-mixed bits (the finalizer of SplitMix64, Steele, Lea and Flood 2014)."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)
