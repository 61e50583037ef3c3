"""The ASGI app of a console: access, static files, the API of all areas, and the pages."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.console.answers import ConsoleProblem, check_parameters, problem_answer
from bff_core.console.console import Console
from bff_core.console.model import Overview
from bff_core.console.routes import (
    api,
    faults,
    installation,
    live_stream,
    logs,
    overview,
    requests,
    screens,
    services,
    sessions,
    upstreams,
)
from bff_core.console.routes.services import is_services_path
from bff_core.console.sign_in.access import CSRF_HEADER, SignInRequired, set_actor
from bff_core.console.sign_in.login import (
    LOGIN_PATH,
    STYLE_PATH,
    login_page,
    login_style,
    sign_in,
    sign_out,
)
from bff_core.console.static_files import StaticFiles
from bff_core.gateway.console import CONSOLE_PATH, is_console_path
from bff_core.gateway.icon import ICON_PATH, icon_response
from bff_core.routing.path import path_of

API_PATH: Final = f"{CONSOLE_PATH}/api"

LOGOUT: Final = f"{API_PATH}/logout"

AREAS: Final = (
    overview,
    installation,
    live_stream,
    requests,
    screens,
    upstreams,
    sessions,
    faults,
    services,
    logs,
    api,
)
"""The API of each area; earlier routes win."""

PAGES: Final = frozenset(
    ("", "overview", "requests", "screens", "upstreams", "faults", "api", "logs", "sessions")
)
"""The first segments of the pages' paths below `/console`; for others a page lists these."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

MAX_SNAPSHOT_SECONDS: Final = 10.0
"""The age of an overview that a page may paint first, before the stream sends one."""

_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": f"Content-Type, {CSRF_HEADER}",
    "access-control-max-age": "600",
}
"""The answer to a preflight of a page of a gateway (Fetch standard, section 3.3)."""

_ABSENT: Final = {
    "faults": "Faults can be injected where `bff dev` runs the services.",
    "processes": "Processes can be started and stopped where `bff dev` runs them.",
    "services": "Services can be started and stopped where `bff dev` runs them.",
    "logs": "`bff dev` collects the logs of all processes; elsewhere read the output of each.",
}
"""Areas that only `bff dev` has, by the first segment of their paths below `/console/api`."""

Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request of the API; raises `ConsoleProblem`."""


class ConsoleApp:
    """The ASGI app of a console: it serves the paths from `/console` on."""

    def __init__(self, console: Console, files: StaticFiles | None = None) -> None:
        self._console = console
        self._files = files or StaticFiles()
        self._routes = _routes(console)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request; web sockets are closed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        request, path = Request(scope, receive), path_of(scope)
        try:
            response = await self._answer(request, path)
        except SignInRequired as problem:
            response = self._refused(request, path, problem)
        except ConsoleProblem as problem:
            response = problem_answer(problem)
        response.headers.update(_HEADERS)
        if is_services_path(path):
            response.headers["vary"] = "Origin"
            if self._is_page_of_gateway(request):
                response.headers["access-control-allow-origin"] = request.headers["origin"]
        await response(scope, receive, send)

    async def aclose(self) -> None:
        """End its streams and tasks."""
        await self._console.aclose()

    async def _answer(self, request: Request, path: str) -> Response:
        public = self._public(request, path)
        if public is not None:
            return public
        if path == LOGIN_PATH and request.method == "POST":
            return await sign_in(self._console, request)
        is_expected = is_services_path(path) and self._is_page_of_gateway(request)
        set_actor(request, self._console.access.admit(request, is_expected_origin=is_expected))
        if is_expected and request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        if path == LOGOUT and request.method == "POST":
            return await sign_out(self._console, request)
        if path.startswith(f"{API_PATH}/"):
            return await self._call(request, path.removeprefix(API_PATH))
        return await self._page(request, path)

    def _is_page_of_gateway(self, request: Request) -> bool:
        """Whether a page of a gateway of the run sent a request: it may use the services' API."""
        run = self._console.run
        return run is not None and request.headers.get("origin") in run.origins

    def _public(self, request: Request, path: str) -> Response | None:
        """Return what anyone may read: files without data."""
        if path == ICON_PATH:
            return icon_response()
        if path == STYLE_PATH:
            return login_style()
        folder = f"{CONSOLE_PATH}/assets/"
        is_asset = path.startswith(folder)
        return self._files.answer(request, path.removeprefix(folder)) if is_asset else None

    async def _page(self, request: Request, path: str) -> Response:
        """Answer with a page, or where it is; for an unknown one with a page that lists them."""
        if request.method not in {"GET", "HEAD"}:
            raise ConsoleProblem(405, "This page can only be read", "Use GET.")
        prefix = request.scope.get("root_path", "")
        if path == LOGIN_PATH:  # of someone who is signed in, or need not be
            return _redirect(f"{prefix}{CONSOLE_PATH}")
        if not is_console_path(path):  # at the port of `bff dev`, where no gateway has a page
            return _redirect(f"{CONSOLE_PATH}{_with_query(request, path.rstrip('/'))}")
        snapshot = {
            "overview": self._fresh_overview(),
            "installation": await self._console.installation(request),
        }
        name = path.removeprefix(CONSOLE_PATH).strip("/").split("/")[0]
        return self._files.page(prefix, snapshot, name, 200 if name in PAGES else 404)

    def _fresh_overview(self) -> Overview | None:
        """Return the newest overview; None if no page has read one lately."""
        newest = self._console.newest_overview
        if newest is None or self._console.wall() - newest.time > MAX_SNAPSHOT_SECONDS:
            return None
        return newest

    def _refused(self, request: Request, path: str, problem: SignInRequired) -> Response:
        """Return the form for the token where a page was wanted, else the problem."""
        if request.method != "GET" or path.startswith(f"{API_PATH}/"):
            return problem_answer(problem)
        target = CONSOLE_PATH if path == LOGIN_PATH else _with_query(request, path)
        return login_page(self._console, request, status=401, target=target)

    async def _call(self, request: Request, path: str) -> Response:
        """Answer a request of the API; `path` begins after `/console/api`."""
        scope = {**request.scope, "path": path, "root_path": ""}
        allowed: set[str] = set()
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                endpoint = cast("Endpoint", route.endpoint)
                checked = Request({**scope, **found}, request.receive)
                check_parameters(checked)
                return await endpoint(checked)
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            methods = ", ".join(sorted(allowed))
            raise ConsoleProblem(
                405, "This method is not allowed", f"Use {methods}.", headers={"allow": methods}
            )
        raise self._absent(path)

    def _absent(self, path: str) -> ConsoleProblem:
        """Return the error for a path of the API that no route serves."""
        why = _ABSENT.get(path.split("/")[1])
        if why is None or self._console.run is not None:
            detail = "The API of the console has no such path."
            return ConsoleProblem(404, "No such address", detail)
        return ConsoleProblem(501, "Not available here", why)


def _redirect(address: str) -> Response:
    return RedirectResponse(address, 307, headers={"cache-control": "no-store"})


def _with_query(request: Request, path: str) -> str:
    """Return a path, encoded, with the query of a request."""
    query = request.url.query
    return quote(path, safe="/:@") + (f"?{query}" if query else "")


def _routes(console: Console) -> Sequence[Route]:
    return [route for area in AREAS for route in area.routes(console)]
