"""One view, compiled: from the request's parameters to the bytes of the answer."""

from collections.abc import Awaitable, Callable
from functools import wraps

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.composition.composition import Composition, close
from bff_core.edge.exchange import SCOPE
from bff_core.edge.wiring import wiring_of
from bff_core.rest.answer import Answer, answer, wants_meta
from bff_core.rest.compose import COMPOSED, composition_of
from bff_core.rest.parameters import Binder, Inputs, is_bindable
from bff_core.rest.signature import REQUEST, with_request
from bff_core.scope import Scope

Endpoint = Callable[..., Awaitable[object]]


class View:
    """An endpoint and how its result is told; used by both lanes, so that they answer alike."""

    def __init__(self, endpoint: Endpoint, *, status: int, with_meta: bool, is_plain: bool) -> None:
        self.endpoint = endpoint
        self.is_plain = is_plain
        self.status = status
        self.with_meta = with_meta
        self.with_timing = False

    def answer(self, result: object, scope: Scope, compositions: list[Composition]) -> Answer:
        """Return the answer to one request."""
        with_meta = self.with_meta or (b"_meta" in scope.query and wants_meta(scope.query))
        return answer(
            result,
            compositions,
            status=self.status,
            with_meta=with_meta,
            with_timing=self.with_timing,
        )

    def as_endpoint(self) -> Callable[..., Awaitable[Response]]:
        """Return the endpoint as FastAPI calls it: the same parameters, answered by us."""

        @wraps(self.endpoint)
        async def endpoint(**values: object) -> Response:
            request = values.pop(REQUEST)
            assert isinstance(request, Request)  # noqa: S101 - FastAPI fills it by its type
            result = await self.endpoint(**values)
            if isinstance(result, Response):
                return result
            composed = request.scope.get(COMPOSED, [])
            told = self.answer(result, request.scope[SCOPE], composed)
            response = Response(told.body, told.status)
            response.raw_headers = told.headers
            return response

        with_request(endpoint, self.endpoint)
        return endpoint


class CompiledView:
    """A view on the fast lane: builds its compositions, calls its endpoint and sends the answer.

    An ASGI application for routed requests (`path_params` is filled in).
    """

    __slots__ = ("_binder", "_compositions", "_view")

    def __init__(self, view: View, dependant: Dependant) -> None:
        self._view = view
        self._binder = Binder(dependant)
        self._compositions = tuple(
            (one.name, cls, Binder(one))
            for one in dependant.dependencies
            if one.name is not None and (cls := composition_of(one.call)) is not None
        )

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request; its compositions are closed when the answer has been sent."""
        composed: list[Composition] = []
        try:
            told = await self._respond(scope, composed)
            if isinstance(told, Response):
                await told(scope, receive, send)
                return
            await send(
                {"type": "http.response.start", "status": told.status, "headers": told.headers}
            )
            await send({"type": "http.response.body", "body": told.body})
        finally:
            await close(composed)

    async def _respond(self, scope: ASGIScope, composed: list[Composition]) -> Answer | Response:
        ours: Scope = scope[SCOPE]
        inputs = Inputs(scope["path_params"], ours)
        values = self._binder.bind(inputs)
        wiring = wiring_of(scope)
        for name, cls, binder in self._compositions:
            composition = wiring.build(cls, ours, binder.bind(inputs))
            composed.append(composition)
            values[name] = composition
        result = await self._view.endpoint(**values)
        if isinstance(result, Response):
            return result
        return self._view.answer(result, ours, composed)


def compile_view(view: View, path: str) -> CompiledView | None:
    """Return the view for the fast lane, or None where only FastAPI's solver can call it."""
    dependant = get_dependant(path=path, call=view.endpoint)
    if dependant.request_param_name is not None or not is_bindable(dependant):
        return None
    for one in dependant.dependencies:
        if composition_of(one.call) is None or one.dependencies or not is_bindable(one):
            return None
    return CompiledView(view, dependant)
