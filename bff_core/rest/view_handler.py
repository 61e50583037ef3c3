"""Runs a view: from the parameters of a request to the bytes of its answer."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from inspect import Signature
from typing import Any

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.answer_cacheability import PER_VIEWER, Sharing
from bff_core.auth.access import Access, Require, admit, admit_to, is_open
from bff_core.cache.status import forwarded
from bff_core.compat.fastapi import Dependant
from bff_core.compat.starlette import compile_path, converts
from bff_core.composition.composition import Composition, close
from bff_core.composition.tracked_scope import tracked
from bff_core.composition.wiring import Wiring
from bff_core.edge.idempotency import stored_answer
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.part_headers import DEGRADED, cache_headers_of, statuses_of
from bff_core.http_exchange.request_context import SCOPE
from bff_core.http_statuses import WITHOUT_CONTENT
from bff_core.rest.answer import (
    answer,
    part_headers,
    wants_meta,
    with_injected,
)
from bff_core.rest.compose import COMPOSED, composition_of, wired_of
from bff_core.rest.openapi import ViewDocument
from bff_core.rest.parameters import Binder, Errors, Inputs, Values, is_bindable
from bff_core.rest.progressive import ProgressiveAnswer, wants_lines
from bff_core.rest.progressive_parts import EarlyPart
from bff_core.rest.result_check import checked_view
from bff_core.rest.route_options import AnswerOptions
from bff_core.rest.signature import dependant_with, with_request
from bff_core.rest.when_inputs import inputs_of, merged
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope
from bff_core.view_cache.cache import ViewCache

Endpoint = Callable[..., Coroutine[object, object, object]]


@dataclass(slots=True, eq=False)
class View:
    """An endpoint and how its result is rendered, on the fast path and by FastAPI.

    `signature` declares its parameters to FastAPI. `access` is the view's access rule; None means
    the default of the gateway. `early_parts` are the parts that a progressive answer sends early;
    None if the view has no such answer. Answers of a view that `reads` have an entity tag; those of
    a view that `is_cacheable` are stored in the view cache, and `sharing` says which viewers may
    share them. `call` runs the endpoint, and in development it checks the result, which has to be
    of the type `returns`.
    """

    endpoint: Endpoint
    signature: Signature
    answer_options: AnswerOptions
    with_meta: bool
    is_plain: bool
    reads: bool
    is_cacheable: bool
    early_parts: Sequence[EarlyPart] | None
    access: Access | None = None
    sharing: Sharing = PER_VIEWER
    returns: object = Any
    with_timing: bool = False
    decides_by_inputs: bool = field(init=False)
    call: Endpoint = field(init=False)

    def __post_init__(self) -> None:
        self.call = self.endpoint
        access = self.access
        self.decides_by_inputs = isinstance(access, Require) and access.when is not None

    def document(self, *, has_parts: bool, max_values: int) -> ViewDocument:
        """Return what the gateway documents of the view."""
        options = self.answer_options
        is_json = options.model.declared is not None and options.response_class is None
        return ViewDocument(
            status=options.status,
            has_parts=has_parts,
            has_tag=self.reads and is_json and options.status == 200,
            is_json=is_json,
            early_parts=self.early_parts,
            max_values=max_values,
            function=self.endpoint,
        )

    def set_development(self, *, is_development: bool) -> None:
        """In development, send timings and check results; a gateway calls it when it is made."""
        self.with_timing = is_development
        self.call = checked_view(self.endpoint, self.returns) if is_development else self.endpoint

    def adds_meta(self, scope: Scope) -> bool:
        """Whether the answer to a request reports its parts in the body as well."""
        return self.with_meta or (b"_meta" in scope.query and wants_meta(scope.query))

    def wants_lines(self, scope: ASGIScope) -> bool:
        """Whether the client gets each part as it ends (NDJSON)."""
        return self.early_parts is not None and wants_lines(scope)

    def answer(
        self,
        result: object,
        scope: Scope,
        compositions: list[Composition],
        injected: Response | None = None,
    ) -> Answer:
        """Return the answer to one request, with the headers and the status of `injected`."""
        status = self._status(injected)
        answered = answer(
            b"" if status in WITHOUT_CONTENT else self.answer_options.model.encode(result),
            compositions,
            status=status,
            with_meta=self.adds_meta(scope),
            with_timing=self.with_timing,
            with_tag=self.reads and status == 200,
        )
        if injected is None or not injected.raw_headers:
            return answered
        headers = with_injected(answered.headers, injected)
        return Answer(answered.status, headers, answered.body)

    def _status(self, injected: Response | None) -> int:
        status = self.answer_options.status
        return status if injected is None else injected.status_code or status

    def _response(
        self,
        make: Callable[..., Response],
        result: object,
        compositions: list[Composition],
        injected: Response | None,
    ) -> Response:
        """Return the answer as a response of the view's response class."""
        status, content = self._status(injected), self.answer_options.model.content(result)
        # A class may have a status of its own, such as that of a redirect.
        response = make(content) if status == 200 else make(content, status_code=status)
        headers = [*response.raw_headers, *part_headers(compositions)]
        # In place, since a `FileResponse` adds to the same list when it is sent.
        response.raw_headers[:] = with_injected(headers, injected) if injected else headers
        return response

    async def run(
        self,
        scope: ASGIScope,
        values: dict[str, object],
        composed: list[Composition],
        *,
        in_lines: bool,
        injected: Response | None = None,
    ) -> Answer | Response:
        """Return the answer of the endpoint, or a response that sends it."""
        if in_lines and self._status(injected) not in WITHOUT_CONTENT:
            render = partial(self.answer, scope=scope[SCOPE], compositions=composed)
            early_parts, run = self.early_parts or (), partial(self.call, **values)
            return ProgressiveAnswer(run, render, composed, early_parts, injected=injected)
        result = await self.call(**values)
        if isinstance(result, Response):
            _forbid_storing(result, composed)
            return result
        request_scope: Scope = scope[SCOPE]
        make = self.answer_options.response_class
        if make is not None and self._status(injected) not in WITHOUT_CONTENT:
            response = self._response(make, result, composed, injected)
            _forbid_storing(response, composed)
            _add_locations(response.raw_headers, request_scope, scope)
            return response
        complete = self.answer(result, request_scope, composed, injected)
        _add_locations(complete.headers, request_scope, scope)
        return complete

    def as_endpoint(self) -> Callable[..., Coroutine[object, object, Response]]:
        """Return an endpoint for FastAPI, with the parameters and the answers of the view."""

        @wraps(self.endpoint)
        async def endpoint(**values: object) -> Response:
            request, injected = wanted.fill(values)
            scope = request.scope
            admit_to(self.access, scope[SCOPE], lambda: inputs_of(wanted.others(values)))
            stored = stored_answer(scope) if self.decides_by_inputs else None
            if stored is not None:
                return stored.as_response()
            composed, in_lines = scope.get(COMPOSED, []), self.wants_lines(scope)
            answered = await self.run(scope, values, composed, in_lines=in_lines, injected=injected)
            if isinstance(answered, Response):
                return answered
            if self.reads and wiring_of(scope).cache is not None:
                answered.headers.append((b"cache-status", forwarded(scope["app"].title, "bypass")))
            return answered.as_response()

        wanted = with_request(endpoint, self.endpoint, self.signature)
        return endpoint


class CompiledView:
    """A view on the fast path: builds its compositions, calls its endpoint and sends the answer.

    An ASGI application for routed requests, whose scope has `path_params`. Only the endpoint and
    its compositions read the request, so that everything that an answer depends on is known, and
    `view_cache` may store it. It is None for a view that changes something.
    """

    __slots__ = ("_binder", "_compositions", "_of_request", "_view", "view_cache")

    def __init__(self, view: View, dependant: Dependant, converted: Collection[str]) -> None:
        self.view_cache: ViewCache | None = None
        self._view = view
        self._binder = Binder(dependant, converted)
        self._compositions = tuple(
            (names, cls, Binder(one, converted)) for names, cls, one in _composed_by(dependant)
        )
        self._of_request = tuple(
            (one.name, kind.from_scope)
            for one in dependant.dependencies
            if one.name is not None and (kind := wired_of(one.call)) is not None
        )

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request, then close its compositions."""
        request_scope: Scope = scope[SCOPE]
        admit(self._view.access, request_scope)
        in_lines = self._view.wants_lines(scope)
        bound = self._bound(Inputs(scope["path_params"], request_scope, scope["headers"]))
        admit_to(self._view.access, request_scope, partial(merged, bound))
        stored = stored_answer(scope) if self._view.decides_by_inputs else None
        if stored is not None:
            await stored.send(send)
            return
        wiring, view_cache = wiring_of(scope), self.view_cache
        cacheable = None
        if view_cache is not None and not in_lines:
            cacheable = view_cache.begin(wiring, request_scope)
        if cacheable is not None:
            hit = cacheable.peek(self._key_values(bound, request_scope)) or await cacheable.fetch()
            if hit is not None:
                await Answer(200, *hit).send(send)
                return
            cacheable.record()
        composed: list[Composition] = []
        try:
            values = self._built(bound, wiring, request_scope, composed)
            answered = await self._view.run(scope, values, composed, in_lines=in_lines)
            if isinstance(answered, Response):
                await answered(scope, receive, send)
                return
            if cacheable is not None:
                is_for_all = is_open(self._view.access, request_scope)
                cacheable.prepare(answered.headers, answered.body, is_open=is_for_all)
            elif view_cache is not None:
                view_cache.add_status(wiring, answered.headers)
            await answered.send(send)
            if cacheable is not None:
                await cacheable.store()
        finally:
            await close(composed)

    def _bound(self, inputs: Inputs) -> list[Values]:
        """Return the parameters of the endpoint, then those of each composition.

        Raises `RequestValidationError` with all errors, in the order of FastAPI.
        """
        errors: Errors = []
        composed = [binder.bind(inputs, errors) for _, _, binder in self._compositions]
        bound = [self._binder.bind(inputs, errors), *composed]
        if errors:
            raise RequestValidationError(errors)
        return bound

    def _key_values(self, bound: Sequence[Values], request_scope: Scope) -> tuple[object, ...]:
        """Return everything that an answer depends on beside what is read from the scope."""
        values = [value for one in bound for value in one.values()]
        return (self._view.adds_meta(request_scope), *values)

    def _built(
        self,
        bound: Sequence[Values],
        wiring: Wiring,
        request_scope: Scope,
        composed: list[Composition],
    ) -> Values:
        """Build the compositions, and return the arguments of the endpoint."""
        values = bound[0]
        for name, make in self._of_request:
            values[name] = make(tracked(request_scope))
        for (names, cls, _), inputs in zip(self._compositions, bound[1:], strict=True):
            composition = wiring.build(cls, request_scope, inputs)
            composed.append(composition)
            for name in names:
                values[name] = composition
        return values


def _composed_by(
    dependant: Dependant,
) -> Iterable[tuple[Sequence[str], type[Composition], Dependant]]:
    """Return the compositions of a view: the parameters that get each, its class, its inputs.

    Two parameters of one class get the same composition, as two equal dependencies of FastAPI
    have one value.
    """
    found: dict[object, tuple[list[str], type[Composition], Dependant]] = {}
    for one in dependant.dependencies:
        cls = composition_of(one.call)
        if cls is not None and one.name is not None:
            key = one.call if one.use_cache else one.name
            names, _, _ = found.setdefault(key, ([], cls, one))
            names.append(one.name)
    return found.values()


def _forbid_storing(response: Response, composed: Sequence[Composition]) -> None:
    """Make a response `no-store` if a part is degraded and the view set no `Cache-Control`."""
    headers = cache_headers_of(statuses_of(composed))
    if "cache-control" not in response.headers and DEGRADED in headers:
        response.headers["cache-control"] = "no-store"


def _add_locations(
    headers: list[tuple[bytes, bytes]], request_scope: Scope, scope: ASGIScope
) -> None:
    """Add `Location` and `Content-Location` of created resources, unless the view has set them."""
    if request_scope.locations is None:
        return
    root = scope.get("root_path", "").encode()
    own = {name for name, _ in headers}
    for name, path in request_scope.locations.items():
        if path and name not in own:
            headers.append((name, root + path))


def compile_view(view: View, path: str) -> CompiledView | None:
    """Return a view for the fast path; None if only FastAPI can read its parameters."""
    _, template, convertors = compile_path(path)  # `{name}` for `{name:path}`
    dependant = dependant_with(view.signature, template)
    if dependant.request_param_name is not None or not is_bindable(dependant):
        return None
    for one in dependant.dependencies:
        is_known = wired_of(one.call) is not None or (
            composition_of(one.call) is not None and not one.dependencies and is_bindable(one)
        )
        if not is_known:
            return None
    converted = [name for name, convertor in convertors.items() if converts(convertor)]
    return CompiledView(view, dependant, converted)
