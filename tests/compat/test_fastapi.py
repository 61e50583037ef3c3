"""What `bff_core/compat/fastapi.py` needs of FastAPI; each test is named after one promise."""

from dataclasses import fields
from typing import Annotated, get_args, get_type_hints

import httpx
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Cookie,
    Depends,
    FastAPI,
    Form,
    Header,
    Query,
    Request,
    Response,
)
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.security import SecurityScopes
from pydantic import TypeAdapter
from pydantic_core import PydanticUndefined
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from bff_core.compat import fastapi as compat
from bff_core.keywords import keywords_of
from bff_core.routing.fastapi_options import (
    FastAPIOptions,
    FormLimits,
    RouteOptions,
    RouterOptions,
    keys_of,
)
from tests.compat.promises import parameters


def screen(size: int = 3) -> int:
    """Stand in for what a view depends on."""
    return size


async def view(
    *,
    product_id: int,
    request: Request,
    response: Response,
    sort: Annotated[str, Query(alias="order", max_length=9)] = "name",
    x_width: Annotated[int, Header()] = 0,
    session: Annotated[str, Cookie()] = "",
    item: Annotated[dict[str, int] | None, Form()] = None,
    shown: Annotated[int, Depends(screen)] = 0,
) -> None:
    """Take a parameter of each kind."""


def dependant():
    """Return what FastAPI finds in the signature of `view`."""
    return compat.get_dependant(path="/products/{product_id}", call=view)


@pytest.mark.parametrize(
    ("group", "alias"),
    [
        ("path_params", "product_id"),
        ("query_params", "order"),
        ("header_params", "x-width"),
        ("cookie_params", "session"),
        ("body_params", "item"),
    ],
)
def test_a_dependant_has_its_parameters_by_source(group, alias):
    """`Dependant.path_params` and its siblings hold the fields of one source each."""
    assert [one.alias for one in getattr(dependant(), group)] == [alias]


@pytest.mark.parametrize(
    ("annotation", "attribute"),
    [
        (Request, "request_param_name"),
        (Response, "response_param_name"),
        (WebSocket, "websocket_param_name"),
        (HTTPConnection, "http_connection_param_name"),
        (BackgroundTasks, "background_tasks_param_name"),
        (SecurityScopes, "security_scopes_param_name"),
    ],
)
def test_a_dependant_names_the_parameter_that_fastapi_injects(annotation, attribute):
    """`Dependant.request_param_name` and its siblings say which parameter is filled by its type."""

    def endpoint(it) -> None:
        del it

    endpoint.__annotations__["it"] = annotation

    found = compat.get_dependant(path="/", call=endpoint)

    assert getattr(found, attribute) == "it"


def test_a_dependant_has_no_kind_of_parameter_that_we_do_not_know():
    """A further source of parameters would be read by FastAPI, and not on the fast path."""
    known = {
        *("path_params", "query_params", "header_params", "cookie_params", "body_params"),
        *("request_param_name", "websocket_param_name", "http_connection_param_name"),
        *("response_param_name", "background_tasks_param_name", "security_scopes_param_name"),
        *("dependencies", "name", "call", "path", "scope", "use_cache", "concurrency"),
        *("own_oauth_scopes", "parent_oauth_scopes"),
    }

    assert {one.name for one in fields(compat.Dependant)} <= known


def test_a_dependant_has_what_it_depends_on():
    """`Dependant.dependencies` have the name of the parameter and the function."""
    (below,) = dependant().dependencies

    assert (below.name, below.call) == ("shown", screen)
    assert [one.call for one in compat.all_dependants(dependant())] == [view, screen]


def test_inputs_come_from_all_places_of_a_request():
    """Parameters are those beside the body; an input of no known place would be read by nothing."""

    def view(
        number: int,
        sort: str,
        trace: Annotated[str, Header()],
        session: Annotated[str, Cookie()],
        order: dict[str, int],
    ) -> None:
        """Take everything."""

    found = compat.get_dependant(path="/{number}", call=view)

    parameters = ["number", "sort", "trace", "session"]
    assert [one.name for one in compat.parameters_of(found)] == parameters
    assert [one.name for one in compat.inputs_read_by(found)] == [*parameters, "order"]


def test_a_model_field_describes_a_parameter():
    """`ModelField` has a name, an alias and the `FieldInfo`."""
    (field,) = dependant().query_params

    assert (field.name, field.alias) == ("sort", "order")
    assert field.field_info.annotation is str
    assert field.field_info.validation_alias == "order"
    assert field.field_info.metadata
    assert not field.field_info.is_required()


def test_a_model_field_validates():
    """`ModelField.validate` returns a value or a list of errors, with the location it was given."""
    (field,) = dependant().path_params

    value, none = field.validate("7", {}, loc=("path", "product_id"))
    _, found = field.validate("x", {}, loc=("path", "product_id"))

    assert (value, none) == (7, [])
    assert found[0]["loc"] == ("path", "product_id")


def test_a_model_field_has_a_default():
    """`ModelField.get_default` returns the default, and pydantic's mark where there is none."""
    (sort,) = dependant().query_params
    (product_id,) = dependant().path_params

    assert sort.get_default() == "name"
    assert product_id.get_default() is PydanticUndefined


def test_the_type_adapter_of_a_field_validates_for_it():
    """A validator that is put into `ModelField._type_adapter` is the one that is used."""
    (field,) = dependant().path_params
    adapter = compat.type_adapter_of(field)

    adapter.validator = TypeAdapter(str).validator

    assert adapter.core_schema["type"] == "int"
    assert field.validate("not a number", {}, loc=("path",)) == ("not a number", [])


def test_a_form_is_known_by_its_field_info():
    """The field of a form has `fastapi.params.Form` as its info, that of JSON has not."""

    def takes_json(item: dict[str, int]) -> None:
        del item

    (form,) = dependant().body_params
    (json,) = compat.get_dependant(path="/", call=takes_json).body_params

    assert isinstance(form.field_info, compat.Form)
    assert not isinstance(json.field_info, compat.Form)
    assert json.field_info.media_type == "application/json"


def test_depends_returns_the_class_that_we_know():
    """`Depends(f)` is a `fastapi.params.Depends`, whose `dependency` is the function."""
    made = Depends(screen)

    assert isinstance(made, compat.Depends)
    assert made.dependency is screen


def app_with_routes() -> FastAPI:
    """Return an app with a route, an included router and a mount."""
    app, inner = FastAPI(openapi_url=None), FastAPI(openapi_url=None)
    app.post("/items/{item_id}")(takes_item)
    app.mount("/inner", inner)
    return app


def takes_item(item_id: int, item: dict[str, int]) -> None:
    """Take a body."""


def test_route_contexts_describe_routes():
    """`iter_route_contexts` yields path, methods, endpoint, route and what is said of the body."""
    app = app_with_routes()

    context, mount = compat.iter_route_contexts(app.routes)

    assert (context.path, context.methods, context.endpoint) == (
        "/items/{item_id}",
        {"POST"},
        takes_item,
    )
    assert isinstance(context.route, APIRoute)
    assert context.body_field.field_info.media_type == "application/json"
    assert getattr(context.strict_content_type, "value", context.strict_content_type) is True
    assert context.max_body_size is None
    assert compat.dependant_of(context.route).call is takes_item
    assert (mount.path, mount.methods) == ("/inner", None)
    assert compat.dependant_of(mount.route) is None


def test_an_operation_id_of_the_users_is_recognised():
    """One that is given with the route, or made by a function of the route, a router or the app."""
    app, own = FastAPI(openapi_url=None), FastAPI(openapi_url=None, generate_unique_id_function=str)
    router, included = APIRouter(generate_unique_id_function=str), APIRouter()
    for one in (app, own, router, included):
        one.get("/")(screen)
    app.get("/named", operation_id="named")(screen)
    app.include_router(router, prefix="/router")
    app.include_router(included, prefix="/included")
    own.include_router(included, prefix="/included")

    found = {
        one.path: compat.has_default_operation_id(one)
        for one in compat.iter_route_contexts(app.routes)
    }
    assert found == {"/": True, "/named": False, "/router/": False, "/included/": True}
    assert not any(map(compat.has_default_operation_id, compat.iter_route_contexts(own.routes)))


def test_route_contexts_of_included_routers_have_the_whole_path():
    """A route of a router that was included with a prefix is listed with it."""
    app, router = FastAPI(openapi_url=None), FastAPI(openapi_url=None).router
    router.get("/below")(screen)

    app.include_router(router, prefix="/v1")

    assert [one.path for one in compat.iter_route_contexts(app.routes)] == ["/v1/below"]


def test_route_contexts_of_included_mounts_have_the_whole_path():
    """What a router mounts is listed with the prefix of the router, and its pattern matches it."""
    app, router = FastAPI(openapi_url=None), FastAPI(openapi_url=None).router
    router.mount("/files", PlainTextResponse("a file"))

    app.include_router(router, prefix="/v1")

    (mount,) = compat.iter_route_contexts(app.routes)
    assert mount.path == "/v1/files"
    assert mount.path_regex.match("/v1/files/a")


def test_a_late_route_of_an_included_router_is_noticed():
    """`APIRouter._get_routes_version` grows, also of a router that an included one includes."""
    app, router, inner = FastAPI(openapi_url=None), APIRouter(), APIRouter()
    router.include_router(inner)
    app.include_router(router)
    before = compat.version_of_included(app.routes)

    inner.get("/late")(screen)

    assert compat.version_of_included(app.routes) > before


async def test_the_chosen_route_has_the_whole_path():
    """`scope["fastapi"]["effective_route_context"]` is the route of a router with its prefix."""
    app, router, found = FastAPI(openapi_url=None), APIRouter(), []

    @router.get("/names/{name}")
    async def get_name(request: Request, name: str) -> None:
        del name
        found.append(compat.chosen_route(request.scope))

    app.include_router(router, prefix="/v1")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        await client.get("/v1/names/a")

    assert [one.path_format for one in found] == ["/v1/names/{name}"]
    assert compat.chosen_route({}) is None


def test_an_api_route_has_its_path_parameters():
    """`APIRoute.param_convertors` names the parameters of the path."""
    (route, _) = app_with_routes().routes

    assert set(route.param_convertors) == {"item_id"}


def test_a_default_response_class_is_recognised():
    """An app that was given `default_response_class=` differs from one that was not."""
    assert compat.has_default_response_class(FastAPI())
    assert not compat.has_default_response_class(FastAPI(default_response_class=PlainTextResponse))


def test_tracing_is_off_without_a_provider():
    """`FastAPI._native_telemetry` is off unless tracing is configured."""
    assert compat.is_traced(FastAPI()) is False


def test_an_app_lists_its_own_middleware_and_dependencies():
    """The fast path looks at `user_middleware`, `dependency_overrides` and router dependencies."""
    app = FastAPI(dependencies=[Depends(screen)])
    app.add_middleware(object)

    assert len(app.user_middleware) == 1
    assert len(app.router.dependencies) == 1
    assert app.dependency_overrides == {}


def test_an_app_builds_its_stack_in_a_method_of_its_own():
    """`build_middleware_stack` and `setup` are called once each, and can be overridden."""
    called = []

    class App(FastAPI):
        def setup(self):
            called.append("setup")
            super().setup()

    App()

    assert called == ["setup"]
    assert parameters(FastAPI.build_middleware_stack) == {"self"}
    assert FastAPI().middleware_stack is None


OURS = {"lifespan", "title"}
"""Keywords of FastAPI that `gateway()` has itself: with a type of its own, and as the name."""

OF_THE_DECORATOR = {"endpoint", "methods", "path", "route_class_override"}
"""Keywords of `add_api_route` that a decorator sets, or that views refuse."""


def test_the_options_of_gateways_are_those_of_fastapi():
    """Type checkers know each keyword of `FastAPI`, and no other."""
    assert keys_of(FastAPIOptions) == keywords_of(FastAPI) - OURS


def test_the_options_of_views_are_those_of_routes():
    """Type checkers know each keyword of `APIRouter.add_api_route`, and no other."""
    assert keys_of(RouteOptions) == keywords_of(APIRouter.add_api_route) - {
        "self",
        *OF_THE_DECORATOR,
    }


def test_the_options_of_views_are_options_of_routers():
    """`Views(...)` passes them on to `APIRouter`."""
    assert keys_of(RouterOptions) <= keywords_of(APIRouter)


def test_the_limits_of_forms_are_those_of_fastapi():
    """FastAPI refuses any other key."""
    assert keys_of(FormLimits) == keys_of_form_limits()


def keys_of_form_limits() -> set[str]:
    """Return the keys that FastAPI accepts in `form_limits=`."""
    hint = get_type_hints(FastAPI.__init__)["form_limits"]
    return {key for one in get_args(hint) for key in getattr(one, "__annotations__", ())}
