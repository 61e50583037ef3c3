"""Load-shedding state of one gateway: pressure, criticality, the response to refused requests."""

import random

from starlette.types import Scope as ASGIScope

from bff_core.clock import Clock
from bff_core.edge.cors import Permissions
from bff_core.edge.options import EdgeOptions
from bff_core.edge.request_id import Bits
from bff_core.edge.security_headers import security_headers
from bff_core.edge.shedding.criticality import Fields, RequestCriticality
from bff_core.edge.shedding.loop_lag import LoopLag
from bff_core.edge.shedding.response import SheddingResponse
from bff_core.events import Events
from bff_core.policy.edge.shedding import Criticality, LoadShedder
from bff_core.routing.route_table import WEB_SOCKET, RouteTable


class SheddingController:
    """The state of load shedding: pressure, criticality of requests, response to refused ones."""

    __slots__ = ("criticality", "loop_lag", "pressure", "refusal")

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
            max_streams=options.max_streams,
        )
        self.criticality = RequestCriticality()
        self.refusal = SheddingResponse(
            security_headers(policy=options.policy, hsts=options.hsts),
            Permissions(options.cors),
            longest_wait=options.longest_wait,
            bits=bits,
            events=events,
        )
        self.loop_lag = LoopLag(self.pressure, events=events, clock=clock)

    def set_routes(self, table: RouteTable) -> None:
        """Set the routes of a gateway that starts."""
        self.criticality.routes = table

    def admits(self, scope: ASGIScope, fields: Fields) -> bool:
        """Whether a request may begin now; only called under pressure."""
        return self.pressure.admits(self.criticality.of(scope, fields))

    def admits_path(self, method: str, path: str, fields: Fields) -> bool:
        """Whether a request may begin now that has no ASGI scope yet; `path` is the route's."""
        is_handshake = fields.get(b"upgrade", b"").lower() == b"websocket"
        kind = WEB_SOCKET if is_handshake and method == "GET" else method
        return self.pressure.admits(self.criticality.of_path(kind, path, fields))

    def admits_viewer(self, viewer: Criticality, scope: ASGIScope, fields: Fields) -> bool:
        """Whether a request may continue after authentication; remember the viewer."""
        self.criticality.remember(viewer, fields)
        pressure = self.pressure
        if pressure.in_flight <= pressure.lowest_threshold:
            return True
        return pressure.may_continue(self.criticality.of(scope, fields))
