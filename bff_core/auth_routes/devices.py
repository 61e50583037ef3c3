"""The endpoints of device sessions: list the viewer's devices, and end one."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bff_core.auth.access import SIGNED_IN
from bff_core.auth.devices import ActiveDevices
from bff_core.auth.viewer import Viewer
from bff_core.errors import NotFound
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.access import guarded

NO_STORE: Final = {"cache-control": "no-store"}


def device_routes(devices: Callable[[], ActiveDevices], prefix: str = "/bff") -> list[Route]:
    """Return the routes, which require a signed-in viewer."""

    async def listed(request: Request) -> Response:
        viewer = _viewer(request)
        found = [
            {
                "id": one.id,
                "client": one.client,
                "name": one.name,
                "first_seen_at": round(one.first_seen_at),
                "last_seen_at": round(one.last_seen_at),
            }
            for one in await devices().listed(viewer)
        ]
        return JSONResponse({"devices": found}, headers=NO_STORE)

    async def end(request: Request) -> Response:
        if not await devices().end(_viewer(request), request.path_params["device"]):
            raise NotFound("There is no such device.")
        return Response(status_code=204, headers=NO_STORE)

    endpoints = (("GET", "/devices", listed), ("DELETE", "/devices/{device}", end))
    return [
        Route(prefix + path, guarded(handler, SIGNED_IN), methods=[verb], include_in_schema=False)
        for verb, path, handler in endpoints
    ]


def _viewer(request: Request) -> Viewer:
    return Viewer.from_scope(request.scope[SCOPE]).require()
