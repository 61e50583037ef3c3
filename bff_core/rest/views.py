"""`Views`: declares REST endpoints, with the decorators and options of FastAPI."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI
from typing_extensions import Unpack

from bff_core.answer_cacheability import PER_VIEWER, Sharing
from bff_core.auth.access import Access, access_of, checked_access
from bff_core.compat.fastapi import Depends as Dependency
from bff_core.compat.fastapi import has_default_response_class
from bff_core.compat.starlette import compile_path
from bff_core.composition.composition import Composition
from bff_core.edge.shedding.criticality import criticality as ranked
from bff_core.errors import ConfigurationError, wired_in
from bff_core.objective import objective
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.rest.declaration import (
    check_endpoint,
    check_is_coroutine,
    check_path,
    check_path_parameters,
)
from bff_core.rest.early_case import renamed_part
from bff_core.rest.field_case import Case, checked_case, in_case
from bff_core.rest.idempotency import KEY_PARAMETER, KeyRule, key_required, key_rule
from bff_core.rest.input_places import check_input_places
from bff_core.rest.openapi import PROBLEM, ViewDocument, documented
from bff_core.rest.progressive_parts import EarlyPart, check_are_parts, check_early_parts
from bff_core.rest.route_options import (
    DOCUMENTATION,
    AnswerOptions,
    annotation_of,
    result_of,
    take_answer_options,
)
from bff_core.rest.schema_hash import schema_hash
from bff_core.rest.signature import (
    ViewInputs,
    access_for,
    as_function,
    dependant_of_call,
    dependant_with,
    injection_of,
    signature_of,
)
from bff_core.rest.signature_case import in_camel_case
from bff_core.rest.stream import Lines, Stream, as_stream, item_of
from bff_core.rest.value_limit import MAX_VALUES, takes_json, values_limited
from bff_core.rest.view_handler import CompiledView, View, compile_view
from bff_core.rest.view_options import (
    ReadOptions,
    StreamOptions,
    ViewDefaults,
    WriteOptions,
    check_flags,
    check_view_options,
    check_views_options,
)
from bff_core.rest.when_inputs import check_when_inputs
from bff_core.routing.access import RouteAccess, guard, guarded
from bff_core.routing.fast_path import FastPath
from bff_core.routing.fastapi_options import RouterOptions
from bff_core.routing.owner import checked_owner, owned
from bff_core.startup.sent_types import check_sent_types
from bff_core.startup.unused import screens_of
from bff_core.view_cache.cache import ViewCache, declared_sharing

E = TypeVar("E", bound=Callable[..., Any])


class Views:
    """Declares views; `gateway(..., faces=[views])` serves them.

        views = Views(prefix="/v1")

        @views.get("/products/{product_id}")
        async def get_product(page: ProductPage) -> MobileProduct: ...

    A parameter whose type is a `Composition` or a `Saga` is composed for each request. The return
    type of a view is a dataclass, a msgspec Struct, a pydantic model or plain JSON values. Its
    declared fields are sent, and are the schema in OpenAPI. A view may also return a `Response`,
    which is sent as it is. A signature may have everything that FastAPI supports. Views that only
    take compositions, path, query and header parameters are compiled for the fast path.

    The options of `Views` are the defaults of its views. `access` is their access rule
    (`Require("orders:read")`, `ANYONE`); without it, views require a signed-in viewer if the
    gateway has an authenticator. A view that takes a `SignedIn`, or a screen with one, requires a
    viewer in any case. `criticality` says which requests are refused first under overload.
    `idempotency` is that of views that change something. A body of more than `max_values` JSON
    values (10,000), nested ones included, is refused with 413. `meta=True` always adds
    `_meta.parts`, and `cache=False` caches no answer. `case="camel"` gives all fields camelCase
    names in answers, bodies, forms and queries. `owner` is the team that owns the views: log lines
    have it, and a gateway in which routes of two owners conflict does not start. `router` is an
    ordinary `APIRouter`, which gets all other keywords.

    Raises `ConfigurationError` for an option that does not exist.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Sequence[str | Enum] | None = None,
        access: Access | None = None,
        criticality: Criticality = DEFAULT_CRITICALITY,
        idempotency: KeyRule = "optional",
        max_values: int = MAX_VALUES,
        meta: bool = False,
        cache: bool = True,
        case: Case | None = None,
        owner: str = "",
        **fastapi: Unpack[RouterOptions],
    ) -> None:
        check_views_options(fastapi, Views)
        self.prefix = prefix
        self.case = checked_case(case)
        self._owner = checked_owner(owner)
        self._access = _rule(access)
        self._defaults = ViewDefaults(criticality, idempotency, max_values, meta=meta, cache=cache)
        router: dict[str, Any] = {**fastapi}
        self.router = APIRouter(prefix=prefix, tags=list(tags or []), **router)
        self._views: list[tuple[object, str, View]] = []
        self._streams: list[Stream] = []

    def get(
        self,
        path: str,
        *,
        public: bool = False,
        per_tenant: bool = False,
        progressive: Sequence[EarlyPart] = (),
        **options: Unpack[ReadOptions],
    ) -> Callable[[E], E]:
        """Declare a view that reads.

        Answers are cached per viewer if everything that they depend on is cacheable; `cache=False`
        disables that. With `public=True` all viewers share an answer, with `per_tenant=True` those
        of a tenant, unless it depends on a viewer, or on a reply that is a viewer's.

        A client that accepts `application/x-ndjson` gets a line for each part as it ends, then the
        answer. The parts in `progressive=[early(Home.orders, ...)]` are sent with their values, the
        others with their status only.

        Other options are `access`, `criticality`, `max_values` and `meta`, as those of `Views`,
        `objective`, a text as that of `objective(...)`, and those of `APIRouter.get`: summary,
        tags, status_code …
        """
        cache = options.pop("cache", self._defaults.cache)
        with wired_in(f"GET {self.prefix}{path}"):
            check_flags(public=public, per_tenant=per_tenant, cache=cache)
            sharing = declared_sharing(public=public, per_tenant=per_tenant, cache=cache)
        return self._declare(
            "GET",
            path,
            status=200,
            options={**options},
            early_parts=progressive,
            cache=cache,
            sharing=sharing,
        )

    def post(
        self, path: str, *, status: int = 200, **options: Unpack[WriteOptions]
    ) -> Callable[[E], E]:
        """Declare a view that changes something.

        With `idempotency="required"` a request without an `Idempotency-Key` is refused with 400.
        `put`, `patch` and `delete` have the same options.
        """
        return self._declare("POST", path, status=status, options={**options})

    def put(
        self, path: str, *, status: int = 200, **options: Unpack[WriteOptions]
    ) -> Callable[[E], E]:
        """Declare a view that replaces something."""
        return self._declare("PUT", path, status=status, options={**options})

    def patch(
        self, path: str, *, status: int = 200, **options: Unpack[WriteOptions]
    ) -> Callable[[E], E]:
        """Declare a view that changes a part of something."""
        return self._declare("PATCH", path, status=status, options={**options})

    def delete(
        self, path: str, *, status: int = 200, **options: Unpack[WriteOptions]
    ) -> Callable[[E], E]:
        """Declare a view that removes something."""
        return self._declare("DELETE", path, status=status, options={**options})

    def stream(self, path: str, **options: Unpack[StreamOptions]) -> Callable[[E], E]:
        """Declare a streaming view: each value that it yields is sent at once, as a line of JSON.

        The function is an async generator. When the client disconnects, it is closed, and so are
        the upstream streams that it reads. A failure before the first value is a problem document;
        a later one aborts the answer, so that clients can't take it for complete. Each value is
        sent with the fields of its declared type: `Row` of `AsyncIterator[Row]`, also in OpenAPI.
        """
        check_path(path, "stream")
        with wired_in(f"stream {self.prefix}{path}"):
            check_view_options("stream", options, Views)
            rank = ranked(options.pop("criticality", self._defaults.criticality))
            access = _rule(options.pop("access", None))
        responses = {"default": PROBLEM, **self._responses(options)}
        shared: dict[str, Any] = {
            "response_description": "One JSON value per line",
            **options,
            "responses": responses,
        }

        def declare(endpoint: E) -> E:
            check_endpoint(endpoint)
            inputs, item = self._inputs(endpoint, "GET", path, shared), item_of(endpoint)
            route = dict(shared)
            answer_options = take_answer_options(
                route, endpoint, status=200, declared=item, case=self.case
            )
            if answer_options.response_class is not None:
                raise ConfigurationError(
                    f"stream {endpoint.__qualname__}: response_class= has no use here: a stream is "
                    "lines of JSON; return a StreamingResponse from a view for any other"
                )
            needs = self._needs(endpoint, inputs, access)
            route["dependencies"] = [guard(needs), *route.get("dependencies", ())]
            route |= answer_options.openapi_options() | {"response_class": Lines}
            stream = Stream(endpoint, None if "response_model" in shared else item)
            self._streams.append(stream)
            wrapped = guarded(as_stream(stream, inputs.signature, needs, answer_options), needs)
            self.router.add_api_route(path, self._owned(rank(wrapped)), methods=["GET"], **route)
            document = ViewDocument(
                status=answer_options.status, has_parts=False, function=endpoint
            )
            documented(wrapped, document)
            check_path_parameters(self.router.routes[-1], endpoint, inputs)
            return endpoint

        return self._naming("GET", path, declare)

    @property
    def compositions(self) -> list[type[Composition]]:
        """The compositions that the views take."""
        return screens_of(self.router.routes)

    def access(self, by: tuple[str, ...]) -> Iterator[RouteAccess]:
        """Yield nothing: the access rules of views are those of their routes."""
        del by
        return iter(())

    def install(self, app: FastAPI, fast_path: FastPath, *, is_development: bool) -> None:
        """Add the views to an app; a gateway calls it."""
        if not has_default_response_class(app):
            raise ConfigurationError(
                "default_response_class= has no use for views: they answer with JSON unless a view "
                "has a response_class= of its own"
            )
        app.include_router(self.router)
        for served, path, view in self._views:
            compiled = self._compiled(view, path, app.title)
            if compiled is not None:
                fast_path.add(served, path, compiled)
            view.set_development(is_development=is_development)
        for stream in self._streams:
            stream.set_development(is_development=is_development)

    def _owned(self, endpoint: E) -> E:
        return owned(endpoint, self._owner)

    def _responses(self, options: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
        """Return the further answers that a view documents, their models in its case."""
        given = options.get("responses") or {}
        return given if self.case is None else {key: in_case(one) for key, one in given.items()}

    def _inputs(
        self, endpoint: Callable[..., Any], method: str, path: str, options: Mapping[str, Any]
    ) -> ViewInputs:
        template, signature = compile_path(self.prefix + path)[1], signature_of(endpoint)
        check_input_places(signature, template, method)
        own = dependant_with(signature, template)
        check_sent_types(own, f"view {endpoint.__qualname__}")
        if self.case is not None:
            signature = in_camel_case(signature, own)
            own = dependant_with(signature, template)
        beside = [*self.router.dependencies, *(options.get("dependencies") or ())]
        calls = [one.dependency for one in beside if one.dependency is not None]
        return ViewInputs(signature, own, [dependant_of_call(one, template) for one in calls])

    def _needs(
        self, endpoint: Callable[..., Any], inputs: ViewInputs, access: Access | None
    ) -> Access | None:
        """Return the access rule of a view: its own, else that of the function, else of all."""
        needs = access_for(inputs, access or access_of(endpoint) or self._access)
        check_when_inputs(inputs.own, needs, endpoint.__qualname__)
        return needs

    def _compiled(self, view: View, path: str, gateway: str) -> CompiledView | None:
        if not view.is_plain or self.router.dependencies:
            return None
        compiled = compile_view(view, path)
        if compiled is not None and view.reads:
            shape = partial(schema_hash, view.answer_options.model)
            compiled.view_cache = ViewCache(
                gateway, f"GET {path}", shape, enabled=view.is_cacheable, declared=view.sharing
            )
        return compiled

    def _declare(
        self,
        method: str,
        path: str,
        *,
        status: int,
        options: dict[str, Any],
        early_parts: Sequence[EarlyPart] | None = None,
        cache: bool = False,
        sharing: Sharing = PER_VIEWER,
    ) -> Callable[[E], E]:
        verb, defaults = method.lower(), self._defaults
        check_path(path, verb)
        with wired_in(f"{method} {self.prefix}{path}"):
            check_view_options(verb, options, Views)
            rank = ranked(options.pop("criticality", defaults.criticality))
            rule = key_rule(options.pop("idempotency", defaults.idempotency_of(method)), method)
            max_values = options.pop("max_values", defaults.max_values)
            limited = values_limited(max_values)
            access = _rule(options.pop("access", None))
            meta = options.pop("meta", defaults.meta)
            check_flags(meta=meta)
            aim = options.pop("objective", None)
            aimed = None if aim is None else objective(aim)

        def declare(endpoint: E) -> E:
            check_is_coroutine(endpoint)
            check_endpoint(endpoint)
            own, inputs = dict(options), self._inputs(endpoint, method, path, options)
            answer_options = take_answer_options(
                own, endpoint, status=status, declared=result_of(endpoint), case=self.case
            )
            needs = self._needs(endpoint, inputs, access)
            view = View(
                endpoint,
                inputs.signature,
                answer_options,
                with_meta=meta,
                is_plain=own.keys() <= DOCUMENTATION and rule == "optional",
                reads=method == "GET",
                is_cacheable=cache and answer_options.is_cacheable,
                early_parts=_early_parts(early_parts, endpoint, answer_options, self.case),
                access=needs,
                sharing=sharing,
                returns=Any if "response_model" in options else annotation_of(endpoint),
            )
            own["responses"] = self._responses(own)
            shown = _openapi_options(own, view, rule)
            checks = [guard(needs), *_checks(inputs, rule, limited)]
            shown["dependencies"] = [*checks, *shown.get("dependencies", ())]
            served = self._owned(rank(guarded(view.as_endpoint(), needs)))
            if aimed is not None:
                aimed(served)
            self.router.add_api_route(path, served, methods=[method], **shown)
            check_path_parameters(self.router.routes[-1], endpoint, inputs)
            screens = screens_of(self.router.routes[-1:])
            check_early_parts(early_parts or (), screens, endpoint.__name__)
            documented(served, view.document(has_parts=bool(screens), max_values=max_values))
            self._views.append((served, self.prefix + path, view))
            return endpoint

        return self._naming(method, path, declare)

    def _naming(self, method: str, path: str, declare: Callable[[E], E]) -> Callable[[E], E]:
        """Return a decorator whose errors name the route and the function."""

        def named(endpoint: E) -> E:
            if not callable(endpoint):
                raise ConfigurationError(f"{method} {self.prefix}{path}: {endpoint!r} is no view")
            function: Any = as_function(endpoint)
            place = f"{function.__module__}.{function.__qualname__}"
            with wired_in(f"{method} {self.prefix}{path} ({place})"):
                declare(function)
            return endpoint

        return named


def _rule(access: Access | None) -> Access | None:
    return None if access is None else checked_access(access)


def _early_parts(
    early_parts: Sequence[EarlyPart] | None,
    endpoint: Callable[..., Any],
    answer_options: AnswerOptions,
    case: Case | None,
) -> Sequence[EarlyPart] | None:
    """Return the early parts of a view; None if its status and headers depend on its result."""
    check_are_parts(early_parts or (), endpoint.__name__)
    if answer_options.is_cacheable and not injection_of(endpoint).responses:
        if case is None or early_parts is None:
            return early_parts
        answer, view = answer_options.model.declared, endpoint.__qualname__
        return [renamed_part(one, answer, view, case) for one in early_parts]
    if early_parts:
        raise ConfigurationError(
            f"view {endpoint.__qualname__}: progressive= sends lines before the view has ended, so "
            "it can't go with a Response, a response_class or a status of its own"
        )
    return None


def _checks(inputs: ViewInputs, rule: KeyRule, limited: Callable[..., Any]) -> Iterator[Dependency]:
    """Yield dependencies that refuse a request before the view is called."""
    if rule == "required":
        yield Depends(key_required)
    if takes_json(inputs):
        yield Depends(limited)


def _openapi_options(options: dict[str, Any], view: View, rule: KeyRule) -> dict[str, Any]:
    responses = {"default": PROBLEM} | (options.pop("responses", None) or {})
    extra = dict(options.pop("openapi_extra", None) or {})
    if rule == "required":
        extra["parameters"] = [KEY_PARAMETER | {"required": True}, *extra.get("parameters", ())]
    made = {"response_description": "The view"} | view.answer_options.openapi_options() | options
    return made | {"responses": responses, "openapi_extra": extra}
