"""`MockGraphQL`: an ASGI app that stands in for a GraphQL service, from its schema."""

import asyncio
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bff_core.mocks.faults import MockFaults
from bff_core.mocks.memory import Memory
from bff_core.mocks.preferences import preferences_of
from bff_core.mocks.problems import PROBLEM, Refusal, phrase, problem
from bff_core.mocks.request_checks import body_bytes
from bff_core.mocks.serving import HEALTH, lifespan

AnyHandler = TypeVar("AnyHandler", bound=Callable[..., object])


class MockGraphQL:
    """An ASGI app that answers the operations of a GraphQL schema, at any path.

    Equal operations get equal values for one `seed`. Handlers of the user replace single fields:

        @app.field("Pet.name")
        def name(pet: Mapping[str, object]) -> str:
            return f"Pet {pet['id']}"

    A handler gets what is known of the object around the field, and the field's arguments by name.
    """

    def __init__(self, sdl: str, *, seed: int = 0) -> None:
        from bff_core.mocks.graphql_execution import MockExecution  # noqa: PLC0415 # needs an extra
        from bff_core.mocks.graphql_values import GraphQLValues  # noqa: PLC0415 # the same

        self._handlers: dict[str, Callable[..., object]] = {}
        self._faulty = MockFaults(self._serve)
        values = GraphQLValues(seed, self._handlers, Memory())
        self._execution = MockExecution(sdl, values)

    def field(self, name: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for a field, such as "Pet.name" or "Query.pets".

        Raises `ValueError` if the schema has no such field.
        """
        self._execution.check_field(name)

        def register(handler: AnyHandler) -> AnyHandler:
            self._handlers[name] = handler
            return handler

        return register

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["type"] == "http":
            await self._faulty(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == HEALTH:
            return Response(status_code=200)
        try:
            preferences = preferences_of(request.headers.getlist("prefer"))
            await asyncio.sleep(preferences.wait)
            if preferences.code >= 400:
                return _refused(Refusal(preferences.code, phrase(preferences.code)))
            operation = await _operation_of(request)
            result, status = await self._execution.run(operation)
        except Refusal as refusal:
            return _refused(refusal)
        return Response(msgspec.json.encode(result), status, media_type="application/json")


def _refused(refusal: Refusal) -> Response:
    data = msgspec.json.encode(problem(refusal))
    return Response(data, refusal.status, dict(refusal.headers), media_type=PROBLEM)


async def _operation_of(request: Request) -> dict[str, Any]:
    """Return the members of a request: of the body of a POST, or of the query of a GET."""
    if request.method == "GET":
        found: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if name in found:
                found[name] = _decoded(found[name].encode(), name)
        return found
    if request.method != "POST":
        raise Refusal(405, f"GraphQL has no {request.method}", headers={"Allow": "GET, POST"})
    body = _decoded(await body_bytes(request), "the body")
    if not isinstance(body, dict):
        raise Refusal(400, "the body is no object with `query`")
    return body


def _decoded(data: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"{name} is no JSON: {error}") from None


def mock_graphql(contract: str | Path | Traversable, *, seed: int = 0) -> MockGraphQL:
    """Return an ASGI app that answers like the GraphQL service of a schema.

    `contract` is a file with SDL. Made-up values depend on `seed`.
    """
    text = contract.read_text(encoding="utf-8") if not isinstance(contract, str) else None
    return MockGraphQL(Path(str(contract)).read_text("utf-8") if text is None else text, seed=seed)
