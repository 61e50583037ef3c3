"""`Views`: the routes of one REST face, in FastAPI's manner and with the framework's answers."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bff_core.auth.access import Access, access_of, checked_access
from bff_core.composition.composition import Composition
from bff_core.edge.criticality import criticality
from bff_core.edge.guard import RouteAccess, guard, guarded
from bff_core.edge.kept import Keeper
from bff_core.edge.lane import FastLane
from bff_core.errors import ConfigurationError, wired_in
from bff_core.policy.pressure import USUAL
from bff_core.rest.compose import composition_of
from bff_core.rest.declaration import check_endpoint, check_path, check_path_parameters
from bff_core.rest.keyed import KEY_RESPONSES, Wish, key_parameter, key_required, wish_of
from bff_core.rest.media import MAX_VALUES, takes_json, values_limited
from bff_core.rest.openapi import META_PARAMETER, PART_STATUS, PROBLEM, PROGRESSIVE
from bff_core.rest.route_options import DOCUMENTATION, Answering, result_of, take_answering
from bff_core.rest.shape import shape_of
from bff_core.rest.shown import Shown, check_shown
from bff_core.rest.signature import as_function, injection_of
from bff_core.rest.stream import Lines, as_stream, item_of
from bff_core.rest.view import CompiledView, View, compile_view

E = TypeVar("E", bound=Callable[..., Any])


class Views:
    """Declares views; `gateway(..., faces=[views])` serves them.

        views = Views(prefix="/v1")

        @views.get("/products/{product_id}")
        async def get_product(
            page: Annotated[ProductPage, Depends(compose(ProductPage))],
        ) -> MobileProduct: ...

    A view returns what its return type declares: a dataclass, a msgspec Struct, a pydantic model or
    plain JSON values, whose declared fields are sent and are the schema in OpenAPI; or a
    `Response`, which is sent as it is. Everything that FastAPI takes in a signature works; views
    that only take compositions, path, query and header parameters are compiled for the fast lane.
    `router` is an ordinary `APIRouter`. Every kind of view may say what its requests matter when
    the gateway has too many (`criticality="sheddable"`), and who may ask
    (`access=Require("orders:read")`, `access=ANYONE`; else as `Views(access=...)` says; else those
    who are signed in, if anybody can).
    """

    def __init__(
        self, *, prefix: str = "", tags: list[str] | None = None, access: Access | None = None
    ) -> None:
        self.prefix = prefix
        self._access = _rule(access)
        self.router = APIRouter(prefix=prefix, tags=list(tags or []))
        self._views: list[tuple[str, str, View | None]] = []

    def get(
        self,
        path: str,
        *,
        meta: bool = False,
        cache: bool = True,
        progressive: Sequence[Shown] = (),
        **options: Any,
    ) -> Callable[[E], E]:
        """Declare a view that reads; `meta=True` always adds `_meta.parts`.

        Its answers are kept if all that they are made of may be; `cache=False` keeps none.

        A client that accepts `application/x-ndjson` gets each part as it lands, then the answer:
        of parts that `progressive=[shows(Home.orders, ...)]` names what it presents, of the others
        how they ended. Other options are those of `APIRouter.get`: summary, tags, status_code …
        """
        return self._declare(
            "GET", path, status=200, meta=meta, options=options, shown=progressive, cache=cache
        )

    def post(
        self, path: str, *, status: int = 200, meta: bool = False, **options: Any
    ) -> Callable[[E], E]:
        """Declare a view that changes something.

        With `idempotency="required"` a request without an `Idempotency-Key` is a 400, here and
        with the other verbs that change something. A body of more than `max_values` JSON values
        (10,000), nested ones included, is a 413.
        """
        return self._declare("POST", path, status=status, meta=meta, options=options)

    def put(
        self, path: str, *, status: int = 200, meta: bool = False, **options: Any
    ) -> Callable[[E], E]:
        """Declare a view that replaces something."""
        return self._declare("PUT", path, status=status, meta=meta, options=options)

    def patch(
        self, path: str, *, status: int = 200, meta: bool = False, **options: Any
    ) -> Callable[[E], E]:
        """Declare a view that changes a part of something."""
        return self._declare("PATCH", path, status=status, meta=meta, options=options)

    def delete(
        self, path: str, *, status: int = 200, meta: bool = False, **options: Any
    ) -> Callable[[E], E]:
        """Declare a view that removes something."""
        return self._declare("DELETE", path, status=status, meta=meta, options=options)

    def stream(self, path: str, **options: Any) -> Callable[[E], E]:
        """Declare a view that yields: each value becomes a line of JSON as soon as it is there.

        The function is an async generator; it is closed when the client leaves, and so are the
        upstream streams that it reads. A failure before the first value is a problem document;
        a later one cuts the answer off, so that it can't be taken for complete. Each value is sent
        as the function declares it: `Row` of `AsyncIterator[Row]` is the schema in OpenAPI.
        """
        check_path(path, "stream")
        options = {"response_description": "One JSON value per line"} | options
        options["responses"] = {"default": PROBLEM} | options.get("responses", {})
        rank = criticality(options.pop("criticality", USUAL))
        with wired_in(f"stream {self.prefix}{path}"):
            said = _rule(options.pop("access", None))

        def declare(endpoint: E) -> E:
            check_endpoint(endpoint)
            route, item = dict(options), item_of(endpoint)
            answering = take_answering(route, endpoint, status=200, declared=item)
            if answering.response_class is not None:
                raise ConfigurationError(
                    f"stream {endpoint.__qualname__}: response_class= has no use here: a stream is "
                    "lines of JSON; return a StreamingResponse from a view for any other"
                )
            needs = said or access_of(endpoint) or self._access
            route["dependencies"] = [guard(needs), *route.get("dependencies", ())]
            route |= answering.documented() | {"response_class": Lines}
            wrapped = guarded(as_stream(endpoint, needs, answering), needs)
            self.router.get(path, **route)(rank(wrapped))
            self._check_parameters(endpoint, options)
            self._views.append(("GET", self.prefix + path, None))
            return endpoint

        return self._naming("GET", path, declare)

    @property
    def compositions(self) -> list[type[Composition]]:
        """The screens that the views are made of."""
        return [screen for route in self.router.routes for screen in _screens(route)]

    def access(self, by: tuple[str, ...]) -> Iterator[RouteAccess]:
        """Yield nothing: all that views serve are routes."""
        del by
        return iter(())

    def install(self, app: FastAPI, lane: FastLane, *, is_development: bool) -> None:
        """Add the views to an app; a gateway calls it."""
        if not isinstance(app.router.default_response_class, DefaultPlaceholder):
            raise ConfigurationError(
                "default_response_class= has no use for views: they answer with JSON unless a view "
                "has a response_class= of its own"
            )
        app.include_router(self.router)
        for method, path, view in self._views:
            lane.add(method, path, self._compiled(view, path, app.title))
            if view is not None:
                view.with_timing = is_development

    def _check_parameters(self, endpoint: Callable[..., Any], options: Mapping[str, Any]) -> None:
        check_path_parameters(self.router.routes[-1], endpoint, self._dependencies(options))

    def _dependencies(self, options: Mapping[str, Any]) -> list[params.Depends]:
        return [*self.router.dependencies, *(options.get("dependencies") or ())]

    def _compiled(self, view: View | None, path: str, gateway: str) -> CompiledView | None:
        if view is None or not view.is_plain or self.router.dependencies:
            return None
        compiled = compile_view(view, path)
        if compiled is not None and view.reads:
            shape = partial(shape_of, view.model)
            compiled.keeper = Keeper(gateway, f"GET {path}", shape, keeps=view.keeps)
        return compiled

    def _declare(
        self,
        method: str,
        path: str,
        *,
        status: int,
        meta: bool,
        options: dict[str, Any],
        shown: Sequence[Shown] | None = None,
        cache: bool = False,
    ) -> Callable[[E], E]:
        check_path(path, method.lower())
        with wired_in(f"{method} {self.prefix}{path}"):
            rank = criticality(options.pop("criticality", USUAL))
            wish = wish_of(options.pop("idempotency", "optional"), method)
            limited = values_limited(options.pop("max_values", MAX_VALUES))
            said = _rule(options.pop("access", None))

        def declare(endpoint: E) -> E:
            if inspect.isasyncgenfunction(endpoint):
                raise ConfigurationError(
                    f"view {endpoint.__qualname__} yields: declare it with @views.stream(...)"
                )
            if not inspect.iscoroutinefunction(endpoint):
                raise ConfigurationError(f"view {endpoint.__qualname__}: write it with `async def`")
            check_endpoint(endpoint)
            own = dict(options)
            answering = take_answering(own, endpoint, status=status, declared=result_of(endpoint))
            needs = said or access_of(endpoint) or self._access
            view = View(
                endpoint,
                answering,
                with_meta=meta,
                is_plain=own.keys() <= DOCUMENTATION and wish == "optional",
                reads=method == "GET",
                keeps=cache and answering.is_cacheable,
                shown=_shown(shown, endpoint, answering),
                access=needs,
            )
            told = _documented(own, view, reads=method == "GET", wish=wish)
            checks = [
                guard(needs),
                *_checks(path, endpoint, self._dependencies(options), wish, limited),
            ]
            told["dependencies"] = [*checks, *told.get("dependencies", ())]
            self.router.add_api_route(
                path,
                rank(guarded(view.as_endpoint(), needs)),
                methods=[method],
                **told,
            )
            self._check_parameters(endpoint, options)
            check_shown(shown or (), list(_screens(self.router.routes[-1])), endpoint.__name__)
            self._views.append((method, self.prefix + path, view))
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


def _shown(
    shown: Sequence[Shown] | None, endpoint: Callable[..., Any], answering: Answering
) -> Sequence[Shown] | None:
    """Return what a progressive answer presents; None where a view must end before its headers."""
    if answering.is_cacheable and not injection_of(endpoint).responses:
        return shown
    if shown:
        raise ConfigurationError(
            f"view {endpoint.__qualname__}: progressive= sends lines before the view has ended, so "
            "it can't go with a Response, a response_class or a status of its own"
        )
    return None


def _checks(
    path: str,
    endpoint: Callable[..., Any],
    dependencies: Sequence[params.Depends],
    wish: Wish,
    limited: Callable[..., Any],
) -> Iterator[params.Depends]:
    """Yield what refuses a request before the view is called."""
    if wish == "required":
        yield Depends(key_required)
    if takes_json(path, endpoint, dependencies):
        yield Depends(limited)


def _screens(route: BaseRoute) -> Iterator[type[Composition]]:
    """Yield the screens that a route is handed."""
    for dependency in route.dependant.dependencies if isinstance(route, APIRoute) else ():
        screen = composition_of(dependency.call)
        if screen is not None:
            yield screen


def _documented(options: dict[str, Any], view: View, *, reads: bool, wish: Wish) -> dict[str, Any]:
    success: dict[str, Any] = {"headers": {"Part-Status": PART_STATUS}}
    if view.shown is not None:
        success["content"] = PROGRESSIVE
    responses: dict[int | str, Any] = {view.answering.status: success, "default": PROBLEM}
    if not reads:
        responses |= KEY_RESPONSES
    for status, told in (options.pop("responses", None) or {}).items():
        responses[status] = responses.get(status, {}) | told if status != "default" else told
    extra = dict(options.pop("openapi_extra", None) or {})
    parameters = [META_PARAMETER if reads else key_parameter(wish), *extra.get("parameters", ())]
    told = {"response_description": "The view"} | view.answering.documented() | options
    return told | {"responses": responses, "openapi_extra": extra | {"parameters": parameters}}
