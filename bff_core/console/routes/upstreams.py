"""The API of services: their states, and what operators do to them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import answer, read_json
from bff_core.console.console import Console
from bff_core.console.model import ActionResult, DoAction
from bff_core.console.upstreams.actions import act_on, operation_of
from bff_core.console.upstreams.pages import processes_of, upstream_detail, upstream_list


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""

    async def list_all(request: Request) -> Response:
        return answer(await upstream_list(console, request.query_params.get("gateway", "")))

    async def get(request: Request) -> Response:
        gateway = request.query_params.get("gateway", "")
        return answer(await upstream_detail(console, request.path_params["name"], gateway))

    async def act(request: Request) -> Response:
        return answer(await _act(console, request, request.path_params["name"]))

    return [
        Route("/upstreams", list_all, methods=["GET"]),
        Route("/upstreams/{name}", get, methods=["GET"]),
        Route("/upstreams/{name}/actions", act, methods=["POST"]),
    ]


async def _act(console: Console, request: Request, name: str) -> ActionResult:
    action = await read_json(request, DoAction)
    operation = operation_of(name, action)
    processes = await processes_of(console, name, action.gateway)
    gateways = list(dict.fromkeys(one.gateway for one in processes))
    lines: list[str] = []

    async def act() -> str:
        lines.extend(await act_on(console, gateways, operation))
        return f"**{name}**, {' '.join(lines)}"

    await console.audited(request, name, act())
    return ActionResult(text=" ".join(lines), lines=lines)
