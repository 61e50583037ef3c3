"""Load shedding: refuses the least important requests first, so that the others are answered."""

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.viewer import Viewer
from bff_core.edge.shedding.controller import SheddingController
from bff_core.errors import Overloaded
from bff_core.http_exchange.request_context import EXCHANGE, PRESSURE, RequestContext
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY


class LoadShedding:
    """After trusted proxies: refuses a request if its criticality has used up its share.

    The limit of which each criticality has a share follows the lag of the event loop (see
    `LoadShedder`). A refused request passes no other concern: its answer is prepared, and one event
    a second reports the number of refusals.
    """

    __slots__ = ("_app", "_loop_lag", "_pressure", "_shedding")

    def __init__(self, app: ASGIApp, *, shedding: SheddingController) -> None:
        self._app = app
        self._shedding = shedding
        self._pressure = shedding.pressure
        self._loop_lag = shedding.loop_lag

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Count the request and pass it on, or refuse it at once."""
        pressure = self._pressure
        if pressure.in_flight >= pressure.lowest_threshold:
            fields = dict(scope["headers"])
            if not self._shedding.admits(scope, fields):
                await self._shedding.refusal.send(scope, fields, send)
                return
        scope[PRESSURE] = pressure
        pressure.in_flight += 1
        if not self._loop_lag.is_on:
            self._loop_lag.start()
        # a socket stays for hours, and mostly waits
        if scope["type"] != "http" and not pressure.begin_stream():
            pressure.in_flight -= 1
            await self._shedding.refusal.send(scope, dict(scope["headers"]), send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if pressure.streams and _is_stream(scope):
                pressure.end_stream()
            else:
                pressure.in_flight -= 1


def _is_stream(scope: ASGIScope) -> bool:
    return scope["type"] != "http" or (EXCHANGE in scope and scope[EXCHANGE].is_stream)


class ViewerShedding:
    """After authentication: refuses a request whose viewer has a lower criticality.

    The criticality is remembered by the credentials, so that it counts from the start of the
    viewer's next request.
    """

    __slots__ = ("_shedding",)

    def __init__(self, shedding: SheddingController) -> None:
        self._shedding = shedding

    def check(self, context: RequestContext) -> None:
        """Raise `Overloaded` if the load is too high for the criticality of the viewer."""
        viewer = context.scope.viewer
        if isinstance(viewer, Viewer) and viewer.criticality != DEFAULT_CRITICALITY:
            if self._shedding.admits_viewer(viewer.criticality, context.asgi, context.fields):
                return
            wait = self._shedding.refusal.wait()
            raise Overloaded("too many requests in flight", retry_after=wait)
