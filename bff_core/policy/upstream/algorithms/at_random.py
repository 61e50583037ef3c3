"""Random: each call goes to an endpoint that is drawn by its share."""

from collections.abc import Sequence

from bff_core.policy.upstream.algorithms.drawing import Draw
from bff_core.policy.upstream.algorithms.interface import C, Pick, of_few


class AtRandom:
    """Ignores the load of endpoints: for services whose calls all take the same time."""

    def among(self, members: Sequence[C]) -> Pick[C]:
        """Return the choice."""
        if len(members) < 2:
            return of_few(members)
        draw = Draw(members)
        return lambda chance, _key: draw.one(chance)
