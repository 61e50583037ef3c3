"""The API of the services for pages of the run's gateways: their state, stop, start, a stream.

It is all of the console that pages of other origins may use: those of the run's gateways.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import answer
from bff_core.console.console import Console
from bff_core.console.development import Development
from bff_core.console.model import Severity
from bff_core.console.routes.live_stream import EventStream
from bff_core.console.services.watch import ServiceWatch
from bff_core.gateway.console import CONSOLE_PATH

SERVICES_PATH: Final = f"{CONSOLE_PATH}/api/services"


def is_services_path(path: str) -> bool:
    """Whether a path belongs to this API."""
    return path == SERVICES_PATH or path.startswith(f"{SERVICES_PATH}/")


def routes(console: Console) -> list[Route]:
    """Return the routes of this area; none where `bff dev` does not run the services."""
    run = console.run
    if run is None:
        return []
    api = _ServicesAPI(console, run, ServiceWatch(run))
    return [
        Route("/services", api.get, methods=["GET"]),
        Route("/services/live", api.live, methods=["GET"]),
        Route("/services/{name}/start", api.start, methods=["POST"]),
        Route("/services/{name}/stop", api.stop, methods=["POST"]),
    ]


@dataclass
class _ServicesAPI:
    console: Console
    run: Development
    watch: ServiceWatch

    async def get(self, _: Request) -> Response:
        await self.watch.read_faults()
        return answer(self.watch.states())

    async def live(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=EventStream.media_type)
        return EventStream(self.watch.frames(self.console.background))

    async def start(self, request: Request) -> Response:
        return self._set_running(request, self.run.start, "started", "ok")

    async def stop(self, request: Request) -> Response:
        return self._set_running(request, self.run.stop, "stopped", "missing")

    def _set_running(
        self, request: Request, change: Callable[[str], None], done: str, state: Severity
    ) -> Response:
        """Start or stop a service, and record it unless it was so before."""
        name = request.path_params["name"]
        before = self.run.service(name).state
        change(name)
        if self.run.service(name).state != before:
            self.console.audit(request, name, f"**{name}** was {done}", state=state)
        return answer(self.watch.state(name))
