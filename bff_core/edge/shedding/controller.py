"""Who is let in: what the admission of one gateway decides with, whoever asks."""

import random
from collections.abc import Sequence

from starlette.routing import BaseRoute

from bff_core.clock import Clock
from bff_core.edge.cors import Permissions
from bff_core.edge.options import EdgeOptions
from bff_core.edge.request_id import Bits
from bff_core.edge.security_headers import security_headers
from bff_core.edge.shedding.criticality import Fields, Ranks, Rules
from bff_core.edge.shedding.loop_lag import LoopLag
from bff_core.edge.shedding.response import SheddingResponse
from bff_core.events import Events
from bff_core.policy.edge.shedding import Criticality, LoadShedder


class SheddingController:
    """The pressure on one process, what its requests matter, and the answer to those refused."""

    __slots__ = ("pressure", "ranks", "refusal", "watch")

    def __init__(
        self,
        options: EdgeOptions,
        *,
        events: Events,
        clock: Clock,
        bits: Bits = random.getrandbits,
    ) -> None:
        self.pressure = LoadShedder(
            ceiling=options.max_concurrent,
            floor=options.min_concurrent,
            max_lag=options.max_lag,
            brownout=options.brownout,
        )
        self.ranks = Ranks()
        self.refusal = SheddingResponse(
            security_headers(policy=options.policy, hsts=options.hsts),
            Permissions(options.cors),
            longest_wait=options.longest_wait,
            bits=bits,
        )
        self.watch = LoopLag(self.pressure, events=events, clock=clock)

    def learn(self, routes: Sequence[BaseRoute]) -> None:
        """Take what the routes of a gateway that is about to start matter."""
        self.ranks.rules = Rules(routes)

    def admits(self, method: str, path: str, fields: Fields) -> bool:
        """Whether a request may begin now; only asked under pressure. `path` is the route's."""
        return self.pressure.admits(self.ranks.of(method, path, fields))

    def keeps(self, viewer: Criticality, method: str, path: str, fields: Fields) -> bool:
        """Whether a request may go on whose viewer is now known, and remembered."""
        self.ranks.learn(viewer, fields)
        pressure = self.pressure
        if pressure.in_flight <= pressure.calm:
            return True
        return pressure.keeps(self.ranks.of(method, path, fields))
