"""Least requests: the endpoint with the fewest calls for its share takes the call."""

from collections.abc import Sequence

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.drawing import Draw
from bff_core.policy.upstream.algorithms.interface import C, Pick, of_few


class LeastRequests:
    """Compares all endpoints; several with equally few calls are drawn by their share.

    A call costs time in proportion to the number of endpoints.
    """

    def among(self, members: Sequence[C]) -> Pick[C]:
        """Return the choice."""
        if len(members) < 2:
            return of_few(members)

        def pick(chance: Chance, _key: bytes) -> C:
            least = min(member.in_flight / member.share for member in members)
            best = [one for one in members if one.in_flight / one.share <= least]
            return best[0] if len(best) == 1 else Draw(best).one(chance)

        return pick
