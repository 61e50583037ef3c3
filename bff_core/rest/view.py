"""One view, compiled: from the request's parameters to the bytes of the answer."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial, wraps

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
from bff_core.rest.progressive import ProgressiveAnswer, wants_lines
from bff_core.rest.shown import Shown
from bff_core.rest.signature import REQUEST, with_request
from bff_core.scope import Scope

Endpoint = Callable[..., Coroutine[object, object, object]]


class View:
    """An endpoint and how its result is told; used by both lanes, so that they answer alike.

    `shown` are the parts that a progressive answer presents; None where there is no such answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        status: int,
        with_meta: bool,
        is_plain: bool,
        shown: Sequence[Shown] | None,
    ) -> None:
        self.endpoint = endpoint
        self.shown = shown
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

    async def run(
        self, scope: ASGIScope, values: dict[str, object], composed: list[Composition]
    ) -> Answer | Response:
        """Return the answer of the endpoint, or what will send it as it comes."""
        if self.shown is not None and wants_lines(scope):
            told = partial(self.answer, scope=scope[SCOPE], compositions=composed)
            return ProgressiveAnswer(partial(self.endpoint, **values), told, composed, self.shown)
        result = await self.endpoint(**values)
        if isinstance(result, Response):
            return result
        return self.answer(result, scope[SCOPE], composed)

    def as_endpoint(self) -> Callable[..., Coroutine[object, object, Response]]:
        """Return the endpoint as FastAPI calls it: the same parameters, answered by us."""

        @wraps(self.endpoint)
        async def endpoint(**values: object) -> Response:
            request = values.pop(REQUEST)
            assert isinstance(request, Request)  # noqa: S101 - FastAPI fills it by its type
            values.update(dict.fromkeys(wanted, request))
            told = await self.run(request.scope, values, request.scope.get(COMPOSED, []))
            if isinstance(told, Response):
                return told
            response = Response(told.body, told.status)
            response.raw_headers = told.headers
            return response

        wanted = with_request(endpoint, self.endpoint)
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
            told = await self._view.run(scope, self._values(scope, composed), composed)
            if isinstance(told, Response):
                await told(scope, receive, send)
                return
            await send(
                {"type": "http.response.start", "status": told.status, "headers": told.headers}
            )
            await send({"type": "http.response.body", "body": told.body})
        finally:
            await close(composed)

    def _values(self, scope: ASGIScope, composed: list[Composition]) -> dict[str, object]:
        """Build the screens, and return what the endpoint is called with."""
        ours: Scope = scope[SCOPE]
        inputs = Inputs(scope["path_params"], ours)
        values = self._binder.bind(inputs)
        wiring = wiring_of(scope)
        for name, cls, binder in self._compositions:
            composition = wiring.build(cls, ours, binder.bind(inputs))
            composed.append(composition)
            values[name] = composition
        return values


def compile_view(view: View, path: str) -> CompiledView | None:
    """Return the view for the fast lane, or None where only FastAPI's solver can call it."""
    dependant = get_dependant(path=path, call=view.endpoint)
    if dependant.request_param_name is not None or not is_bindable(dependant):
        return None
    for one in dependant.dependencies:
        if composition_of(one.call) is None or one.dependencies or not is_bindable(one):
            return None
    return CompiledView(view, dependant)
