"""Round robin: endpoints take calls in turn, each as often as its share says."""

from collections.abc import Sequence

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.interface import C, Pick, of_few


class RoundRobin:
    """Smooth weighted round robin, as nginx does it: with 5, 1, 1 the order is a a b a c a a.

    A call costs time in proportion to the number of endpoints.
    """

    def among(self, members: Sequence[C]) -> Pick[C]:
        """Return the choice; whose turn it is stays with the endpoints."""
        if len(members) < 2:
            return of_few(members)
        total = sum(member.share for member in members)

        def pick(_chance: Chance, _key: bytes) -> C:
            best = members[0]
            for member in members:
                member.turn += member.share
                if member.turn > best.turn:
                    best = member
            best.turn -= total
            return best

        return pick
