"""Power of two choices: of two random endpoints, the one with fewer calls takes the call.

Source: "The power of two choices in randomized load balancing", Mitzenmacher 2001.
"""

from collections.abc import Sequence

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.drawing import Draw
from bff_core.policy.upstream.algorithms.interface import C, Pick, are_even, of_few


class PowerOfTwo:
    """Nearly as good as comparing all endpoints, at a cost that does not grow with their number."""

    def among(self, members: Sequence[C]) -> Pick[C]:
        """Return the choice: with uneven shares, endpoints are drawn and compared by share."""
        if len(members) < 2:
            return of_few(members)
        return _evenly(members) if are_even(members) else _by_share(members)


def _evenly(members: Sequence[C]) -> Pick[C]:
    count = len(members)
    rest = count - 1

    def pick(chance: Chance, _key: bytes) -> C:
        first = int(chance() * count)
        second = int(chance() * rest)
        one, other = members[first], members[second + (second >= first)]
        return one if one.in_flight <= other.in_flight else other

    return pick


def _by_share(members: Sequence[C]) -> Pick[C]:
    draw = Draw(members)

    def pick(chance: Chance, _key: bytes) -> C:
        one, other = draw.two(chance)
        return one if one.in_flight * other.share <= other.in_flight * one.share else other

    return pick
