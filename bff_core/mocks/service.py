"""`MockService`: an ASGI app that stands in for a service, from its OpenAPI document."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response as HTTPResponse
from starlette.types import Receive, Scope, Send

from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.types import Json
from bff_core.mocks.answers import MockAnswers
from bff_core.mocks.call import MockCall, MockHandler, MockReply
from bff_core.mocks.faults import MockFaults
from bff_core.mocks.listing import listing_of
from bff_core.mocks.memory import Memory
from bff_core.mocks.parameters import Received
from bff_core.mocks.preferences import Preferences, preferences_of
from bff_core.mocks.problems import PROBLEM, Refusal, phrase, problem
from bff_core.mocks.request_checks import RequestChecks, body_bytes
from bff_core.mocks.resources import MadeAnswer, MockExchange, MockResources
from bff_core.mocks.responses import (
    answer_of,
    content_for,
    documented,
    headers_of,
    json_content,
    response_of,
)
from bff_core.mocks.routes import Found, routes_of
from bff_core.mocks.schemas import Schemas
from bff_core.mocks.serving import HEALTH, lifespan
from bff_core.mocks.values import ValueMaker

AnyHandler = TypeVar("AnyHandler", bound=MockHandler)


class MockService:
    """An ASGI app that answers like the service of a contract.

    Equal requests get equal answers for one `seed`. Handlers of the user replace the answers of
    single operations:

        @app.get("/pets/{id}")
        def pet(call: MockCall) -> object:
            return {**call.answer, "name": "Rex"}
    """

    def __init__(
        self,
        document: Document,
        *,
        seed: int = 0,
        needs_credentials: bool = True,
        refuses_with: int = 0,
    ) -> None:
        self.document = document
        self._needs_credentials = needs_credentials
        self._routes = routes_of(document)
        schemas = Schemas(document.types)
        values = ValueMaker(document.types, seed, is_valid=schemas.is_example)
        self._values = values
        self._checks = RequestChecks(document, schemas, values, refuses_with)
        resources = MockResources(values, schemas, Memory())
        self._answers = MockAnswers(resources, self._routes.has_item, self._is_list)
        self._handlers: dict[tuple[str, str], MockHandler] = {}
        self._faulty = MockFaults(self._serve)

    def get(self, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for GET of a path of the contract, such as `/pets/{id}`."""
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for POST of a path of the contract."""
        return self.route("POST", path)

    def put(self, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for PUT of a path of the contract."""
        return self.route("PUT", path)

    def patch(self, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for PATCH of a path of the contract."""
        return self.route("PATCH", path)

    def delete(self, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for DELETE of a path of the contract."""
        return self.route("DELETE", path)

    def route(self, method: str, path: str) -> Callable[[AnyHandler], AnyHandler]:
        """Register a handler for an operation of the contract.

        The handler returns the body, or a `MockReply` with a status. Raises `ValueError` if the
        contract has no such operation.
        """
        known = [one.name for one in self.document.operations]
        if f"{method.upper()} {path}" not in known:
            raise ValueError(
                f"the contract has no {method.upper()} {path}: it has {', '.join(known)}"
            )

        def register(handler: AnyHandler) -> AnyHandler:
            self._handlers[method.upper(), path] = handler
            return handler

        return register

    def _is_list(self, template: str) -> bool:
        """Whether a path of the contract can be read, and answers with a list."""
        operation = self._routes.reading(template)
        response = None if operation is None else response_of(operation, 0)[0]
        content = None if response is None else json_content(response)
        return content is not None and listing_of(content.type, self._values) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["type"] == "http":
            await self._faulty(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> HTTPResponse:
        raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
        path = raw.decode("latin-1").partition("?")[0]
        found = self._routes.find(path, request.method, _pairs(request))
        if found is None and request.url.path == HEALTH:
            return HTTPResponse(status_code=200)
        operation = None if found is None else _operation_of(request.method, found)
        if found is None:
            refusal = Refusal(404, f"the contract has no path {request.url.path}")
            return self._failed(None, refusal)
        if operation is None:
            return self._failed(None, _not_allowed(request.method, found))
        try:
            wanted = preferences_of(request.headers.getlist("prefer"))
            if wanted.wait:
                await asyncio.sleep(wanted.wait)
            return await self._served(request, found, operation, wanted)
        except Refusal as refusal:
            return self._failed(operation, refusal)

    async def _served(
        self, request: Request, found: Found, operation: HttpOperation, wanted: Preferences
    ) -> HTTPResponse:
        exchange = await self._exchange(request, found, operation)
        response, status = response_of(operation, wanted.code)
        if status >= 400:
            refusal = Refusal(status, phrase(status))
            return self._failed(operation, refusal, wanted.example, is_wanted=True)
        content = content_for(response, request.headers.get("accept", ""))
        made = self._answers.success(exchange, content, wanted.example)
        handler = self._handlers.get((operation.method.upper(), operation.path))
        reply = MockReply(status, made.value)
        if handler is not None and not wanted.code:
            result = await _called(handler, request, exchange, made)
            if isinstance(result, HTTPResponse):
                return result
            reply = replace(result, status=result.status or status, body=result.body)
        headers = headers_of(response, made, self._values, _json(reply.body))
        return answer_of(reply, content, {**headers, **reply.headers}, request.headers)

    async def _exchange(
        self, request: Request, found: Found, operation: HttpOperation
    ) -> MockExchange:
        """Return a request that is valid; raise `Refusal` for another one."""
        received = Received(
            found.texts,
            request.query_params.multi_items(),
            {name.lower(): value for name, value in request.headers.items()},
            request.cookies,
        )
        if self._needs_credentials:
            self._checks.credentials(operation, received)
        given = self._checks.parameters(operation, received)
        content_type = request.headers.get("content-type", "")
        body = self._checks.body(operation, content_type, await body_bytes(request))
        names = [one.name for one in operation.parameters if one.place == "path"]
        path = "/".join(quote(unquote(step), safe="") for step in found.path.split("/"))
        query = f"?{request.url.query}" if request.url.query else ""
        in_path = {name: given[name] for name in names if name in given}
        return MockExchange(operation, path, f"{request.url.path}{query}", in_path, given, body)

    def _failed(
        self,
        operation: HttpOperation | None,
        refusal: Refusal,
        example: str = "",
        *,
        is_wanted: bool = False,
    ) -> HTTPResponse:
        """Return an error: the body that the contract documents, or a problem."""
        response = None if operation is None else documented(operation, refusal.status)
        content = None if response is None else json_content(response)
        headers = dict(refusal.headers)
        if refusal.status in {429, 503}:
            headers.setdefault("Retry-After", "1")
        if content is None:
            return answer_of(MockReply(refusal.status, problem(refusal)), PROBLEM, headers)
        value = self._answers.failure(content, refusal, example, is_wanted=is_wanted)
        reply = MockReply(refusal.status, value)
        return answer_of(reply, content, headers)


def _pairs(request: Request) -> set[str]:
    """Return the headers and query parameters of a request as `name=value`, in lower case."""
    pairs = [*request.headers.items(), *request.query_params.multi_items()]
    return {f"{name}={value}".lower() for name, value in pairs}


def _operation_of(method: str, found: Found) -> HttpOperation | None:
    """Return the operation of a method; a HEAD is that of GET, unless the contract has it."""
    methods = found.route.operations
    return methods.get(method) or (methods.get("GET") if method == "HEAD" else None)


def _not_allowed(method: str, found: Found) -> Refusal:
    methods = [*found.route.operations]
    allowed = [*methods, "HEAD"] if "GET" in methods and "HEAD" not in methods else methods
    detail = f"{found.route.template} has no {method}"
    return Refusal(405, detail, headers={"Allow": ", ".join(allowed)})


async def _called(
    handler: MockHandler, request: Request, exchange: MockExchange, made: MadeAnswer
) -> MockReply | HTTPResponse:
    """Return what a handler of the user makes of a request."""
    method, headers = exchange.operation.method.upper(), dict(request.headers)
    call = MockCall(method, exchange.path, exchange.given, headers, exchange.body, made.value)
    result = handler(call)
    found = await result if inspect.isawaitable(result) else result
    return found if isinstance(found, MockReply | HTTPResponse) else MockReply(0, _json(found))


def _json(value: object) -> Json:
    """Return what a handler returned as JSON: dataclasses, Structs and plain values."""
    plain: Json = msgspec.to_builtins(value)
    return plain
