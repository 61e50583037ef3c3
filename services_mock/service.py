"""Builds a service: its routes, and the layers that all services share."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from services_mock import problems
from services_mock.answers import answer
from services_mock.calls import Calls, CountCalls
from services_mock.conditional import Conditional
from services_mock.control_access import ControlAccess
from services_mock.faults import FaultBoard
from services_mock.faults_asgi import CommitFaults
from services_mock.faults_socket import raw_socket
from services_mock.idempotency import Idempotency
from services_mock.routes import RouteTable

NO_STORE = {"cache-control": "no-store"}


def assemble(
    name: str, *routers: APIRouter, summary: str, cache_control: str, store: Any = None
) -> FastAPI:
    """Return a service as an app; `store` holds its mutable data, in `app.state`.

    Layers, from the outside: control access → calls → faults → idempotency → conditional → routes.
    """
    app = FastAPI(title=name, summary=summary, version="1.0.0", docs_url=None, redoc_url=None)
    app.state.store = store
    table = RouteTable(*routers)
    calls, board = Calls(name), FaultBoard(table)
    for router in routers:
        app.include_router(router, responses={422: problems.SCHEMA})
    app.include_router(_controls(calls, board), include_in_schema=False)
    problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(Conditional, cache_control=cache_control)
    app.add_middleware(Idempotency)
    app.add_middleware(CommitFaults, board=board)
    app.add_middleware(CountCalls, calls=calls, table=table)
    app.add_middleware(ControlAccess)
    return app


def _controls(calls: Calls, board: FaultBoard) -> APIRouter:
    """Return the routes for tests: counts and faults."""
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> Response:
        return answer({"status": "ok", "service": calls.service}, headers=NO_STORE)

    @router.get("/__calls__")
    async def get_calls() -> Response:
        return answer(calls.report(), headers=NO_STORE)

    @router.delete("/__calls__")
    async def reset_calls() -> Response:
        calls.reset()
        return Response(status_code=204)

    @router.get("/__faults__")
    async def get_faults() -> Response:
        return answer(board.report(), headers=NO_STORE)

    @router.put("/__faults__")
    async def put_faults(request: Request) -> Response:
        body = await request.body()
        board.put(body, has_socket=raw_socket(request.scope) is not None)
        return answer(board.report(), headers=NO_STORE)

    @router.delete("/__faults__")
    async def clear_faults() -> Response:
        board.clear()
        return Response(status_code=204)

    return router
