"""Mistakes of beginners: each gets an error that says what to write instead."""

import warnings
from types import ModuleType
from typing import Annotated

import pytest
import strawberry
from fastapi import Depends, Request

from bff_core import (
    Composition,
    Limit,
    Policy,
    Require,
    Upstream,
    Views,
    compose,
    critical,
    early,
    gateway,
)
from bff_core.errors import ConfigurationError
from bff_core.graphql import GraphQL
from bff_core.settings.model import ConfigurationWarning, Settings

LAPTOP = Settings(env="development", upstreams={"shop": "http://127.0.0.1:1"})


class Shop(Upstream):
    """A service."""

    policy = Policy(public=True)

    async def product(self, product_id: str) -> str:
        """Return a product."""
        return await self.get("/products/{id}", str, id=product_id)


class Page(Composition):
    """A screen."""

    shop: Shop
    product_id: str

    @critical
    async def product(self) -> str:
        """Return the product."""
        return await self.shop.product(self.product_id)


Composed = Annotated[Page, Depends(compose(Page))]

views = Views()


@views.get("/products/{product_id}")
async def get_product(page: Composed) -> str:
    """Show a product."""
    return await page.product()


def refusal(call, *arguments, **options) -> str:
    """Return the error of a call."""
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PLACE = ModuleType("shop.views")


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"faces": views}, "faces=Views(...): give a list, as in faces=[views]"),
        ({"faces": [Views]}, "make one, as in Views()"),
        ({"faces": [Page]}, "a view serves it, which takes page: Page"),
        ({"faces": [views.router]}, "a plain router is added by app.include_router(...)"),
        ({"faces": [PLACE]}, "name its Views, as in faces=[views.views]"),
        ({"faces": [None]}, "faces=[None]: give Views(), GraphQL(schema) or Proxy(routes=[...])"),
        ({"services": Shop}, "services=Shop: give a list, as in services=[Shop]"),
        ({"services": "shop"}, "services='shop': give a list"),
        ({"services": {Shop: "http://a"}}, "services=dict(...): give a list"),
        ({"services": ["shop"]}, "the address is in BFF_UPSTREAM_<NAME>"),
        ({"services": [Page]}, "services=[Page]: give classes of Upstream"),
        ({"limits": Limit(quota=1)}, "limits=Limit(...): give a list"),
        ({"limits": [600]}, "limits=[600]: give limits, as in limits=[Limit(quota=600)]"),
        ({"sagas": Page}, "sagas=Page: give a list"),
        ({"sagas": [Page]}, "give classes of Saga, as in sagas=[Checkout]"),
        ({"authenticator": "demo"}, "authenticator='demo': give one of bff_core.auth"),
        ({"authenticator": Page}, "authenticator=Page: that is a class, pass an instance of it"),
        ({"settings": {"env": "development"}}, "settings=dict(...): give Settings(...)"),
    ],
)
def test_an_argument_of_another_kind_is_refused(options, mend):
    """The error names the argument and says what to give."""
    usual = {"settings": LAPTOP, "services": [Shop], "faces": [views]}

    assert mend in refusal(gateway, "shop", **{**usual, **options})


@pytest.mark.parametrize("name", ["", " ", views, None, 7])
def test_a_gateway_has_a_name(name):
    """Logs, OpenAPI and Cache-Status have the name."""
    assert "give it a name first" in refusal(gateway, name, settings=LAPTOP)


def test_an_instance_of_a_service_is_refused_where_it_is_made():
    """A gateway opens its services."""
    assert refusal(Shop) == "a gateway makes Shop(): pass it the class, services=[Shop]"


def test_a_service_is_not_made_by_its_class():
    """Its attributes would be missing in the copy that a request gets."""
    body = {"__init__": lambda self: None}

    assert "set attributes on the class instead" in refusal(type, "Odd", (Upstream,), body)


async def screen_itself(page: Annotated[Page, Depends(Page)]) -> str:
    """Use a class as a dependency, which FastAPI would construct."""


async def screen_by_default(page: Page = Depends(Page)) -> str:  # noqa: B008 # a slip
    """Declare it as a default value."""


async def composed_only(page: Annotated[Page, compose(Page)]) -> str:
    """Forget Depends."""


async def compose_itself(page: Annotated[Page, Depends(compose)]) -> str:
    """Forget to call compose."""


async def service(shop: Shop) -> str:
    """Take a service."""


async def service_itself(shop: Annotated[Shop, Depends()]) -> str:
    """Use a class as a dependency, which FastAPI would construct."""


async def unknown_type(product_id: str) -> "Nowhere":  # noqa: F821 # a slip
    """Return what is not imported."""


def plain(product_id: str) -> str:
    """Forget async."""


async def stream(page: Page):
    """Yield nothing."""
    yield page


MEND = "write page: Page"


@pytest.mark.parametrize(
    ("endpoint", "mend"),
    [
        (screen_itself, f"Depends(...) takes what compose returns: {MEND}"),
        (screen_by_default, f"Depends(...) takes what compose returns: {MEND}"),
        (composed_only, f"remove compose(...) from the annotation: {MEND}"),
        (compose_itself, f"Depends(...) takes what compose returns: {MEND}"),
        (service, "shop is the service Shop: services are fields of a Composition"),
        (service_itself, "shop is the service Shop: services are fields of a Composition"),
        (unknown_type, "view unknown_type: name 'Nowhere' is not defined"),
        (plain, "write it with `async def`"),
        (stream, "view stream yields: declare it with @views.stream(...)"),
    ],
)
def test_a_view_that_can_not_be_called_is_refused(endpoint, mend):
    """The error names the view and its parameter."""
    assert mend in refusal(Views().get("/products/{product_id}"), endpoint)


def test_a_stream_is_checked_like_a_view():
    """Screens of streams, and their paths, are looked at, too."""
    found = Views()

    assert "shop is the service Shop" in refusal(found.stream("/{product_id}"), service)
    assert "a path starts with a slash" in refusal(found.stream, "rows")


async def other_name(page: Composed) -> str:
    """Take the product by another name than the path's."""


async def nearly_the_name(prodct_id: str = "1") -> str:
    """Take the product by a misspelt name, with a default."""


def test_a_misspelt_parameter_of_the_path_is_refused_though_it_has_a_default():
    """Every request would get the default."""
    message = refusal(Views().get("/products/{product_id}"), nearly_the_name)

    assert "its query parameters are prodct_id: is one of them meant?" in message


def test_a_parameter_of_the_path_need_not_be_taken():
    """A slug is for people, and a tenant may be for middleware; `limit` is another matter."""
    views = Views(prefix="/{shop}")

    @views.get("/products/{product_id}/{slug}")
    async def product(product_id: str, limit: int = 10) -> str:
        return product_id

    assert len(views.router.routes) == 1


async def by_request(request: Request, page: Composed) -> str:
    """Read the path from the request."""


async def tenant(request: Request) -> str:
    """Read the path in a dependency."""
    return request.path_params["tenant"]


async def with_dependency(page: Composed, tenant: Annotated[str, Depends(tenant)]) -> str:
    """Leave the path to a dependency."""


async def guarded(page: Composed) -> str:
    """Leave the path to a dependency of the route."""


def test_a_parameter_of_the_path_that_nothing_takes_is_refused():
    """FastAPI would make the right name a query parameter, and every request a 422."""
    message = refusal(Views().get("/products/{id}"), other_name)

    assert "view other_name: nothing takes {id} of the path /products/{id}" in message
    assert "its query parameters are product_id: is one of them meant?" in message
    assert "take id: str as well" in message


def test_a_parameter_of_the_path_may_be_read_from_the_request():
    """By the view, by a dependency, by one of the route."""
    found = Views(prefix="/{tenant}")

    found.get("/a/{product_id}")(by_request)
    found.get("/b/{product_id}")(with_dependency)
    found.get("/c/{product_id}", dependencies=[Depends(tenant)])(guarded)

    assert len(found.router.routes) == 3


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "stream"])
def test_a_decorator_without_a_path_is_refused(verb):
    """`@views.get` without its brackets."""
    assert refusal(getattr(Views(), verb), get_product).startswith(f"@views.{verb} needs a path")


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"options": {}}, "options=dict(...): give EdgeOptions(...)"),
        ({"events": []}, "events=[]: give Events(...) with functions in it"),
        ({"events": print}, "give Events(...) with functions in it"),
        ({"demo": 5}, "demo=5: give a function"),
        ({"transport": "http"}, "transport='http': give a function"),
        ({"clock": 5}, "clock=5: give a function"),
        ({"lifespan": "x"}, "lifespan='x': give a function"),
        ({"face": [views]}, "gateway(...) has no face=: is faces meant?"),
        ({"views": [views]}, "gateway(...) has no views=: is faces=[views] meant?"),
        ({"title": "Shop"}, 'has no title=: is the name, as in gateway("shop", ...), meant?'),
        ({"sevices": [Shop]}, "gateway(...) has no sevices=: is services meant?"),
        ({"colour": "red"}, "gateway(...) has no colour="),
        ({"titel": "Shop"}, 'has no titel=: is the name, as in gateway("shop", ...), meant?'),
        ({"doc_url": None}, "gateway(...) has no doc_url=: is docs_url meant?"),
        ({"limit": []}, "gateway(...) has no limit=: is limits meant?"),
    ],
)
def test_a_part_of_another_kind_is_refused(options, mend):
    """Before anything is opened, with the argument that was meant."""
    assert mend in refusal(gateway, "shop", settings=LAPTOP, **options)


@strawberry.type
class Query:
    """A field."""

    @strawberry.field
    def a(self) -> int:
        """Return a number."""
        return 1


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"path": "graphql"}, "GraphQL(path='graphql'): a path starts with a slash: /graphql"),
        ({"path": None}, "GraphQL(path=None): a path starts with a slash: /graphql"),
        ({"limits": Limit(quota=5)}, "give QueryLimits(...) of bff_core.graphql"),
        ({"introspection": "no"}, "GraphQL(introspection='no'): give True or False"),
    ],
)
def test_an_argument_of_graphql_is_checked(options, mend):
    """`Limit` and `Limits` are easily confused; `"no"` would be true."""
    assert mend in refusal(GraphQL, strawberry.Schema(Query), **options)


@pytest.mark.parametrize("rule", ["orders:read", ["orders:read"], Require, False])
def test_a_rule_that_is_none_is_refused(rule):
    """A view would admit every caller who is signed in."""
    message = "access is Require(...) or ANYONE, not"

    assert message in refusal(Views, access=rule)
    assert message in refusal(Views().get, "/orders", access=rule)
    assert message in refusal(Views().delete, "/orders", access=rule)
    assert message in refusal(Views().stream, "/orders", access=rule)


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"status": 201}, "status= has no use here: FastAPI's word for it is status_code="),
        ({"response_class": "json"}, "response_class='json': give a class of Response"),
        ({"progressive": [Page]}, "progressive= takes a list of early(part, present), not"),
        (
            {"progressive": early(Page.product, print)},
            "progressive= takes a list of early(part, present), not",
        ),
    ],
)
def test_an_option_that_is_none_is_refused(options, mend):
    """The error names the view and the option that was meant."""
    assert mend in refusal(Views().get("/products/{product_id}", **options), get_product)


@pytest.mark.parametrize(
    ("part", "present"), [(Page, print), (Shop.product, print), (Page.product, "title")]
)
def test_an_early_part_is_a_part_and_a_function(part, present):
    """The error says what to give, before a view takes it."""
    assert "give a part of a composition, such as Home.orders, and" in refusal(early, part, present)


@pytest.mark.parametrize(
    ("verb", "option", "mend"),
    [
        ("get", "acces", "GET /x: @views.get has no acces=: is access meant?"),
        ("get", "tag", "@views.get has no tag=: is tags meant?"),
        ("get", "sumary", "@views.get has no sumary=: is summary meant?"),
        ("get", "per_tennant", "@views.get has no per_tennant=: is per_tenant meant?"),
        ("get", "title", "@views.get has no title=: is summary meant?"),
        ("get", "idempotency", "@views.get has no idempotency=: @views.post has it"),
        ("get", "xyzzy", "@views.get has no xyzzy="),
        ("post", "idempotncy", "POST /x: @views.post has no idempotncy=: is idempotency meant?"),
        ("put", "max_value", "@views.put has no max_value=: is max_values meant?"),
        ("patch", "statuscode", "@views.patch has no statuscode=: is status_code meant?"),
        ("delete", "public", "@views.delete has no public=: @views.get has it"),
        ("stream", "criticallity", "@views.stream has no criticallity=: is criticality meant?"),
        ("stream", "meta", "stream /x: @views.stream has no meta=: @views.get has it"),
    ],
)
def test_an_option_of_a_view_that_does_not_exist_is_refused(verb, option, mend):
    """A typing error would leave a view without its access rule; it fails at import."""
    assert mend in refusal(getattr(Views(), verb), "/x", **{option: True})


@pytest.mark.parametrize(
    ("option", "mend"),
    [
        ("acces", "Views(...) has no acces=: is access meant?"),
        ("dependences", "Views(...) has no dependences=: is dependencies meant?"),
        ("default_response_class", "Views(...) has no default_response_class="),
    ],
)
def test_an_option_of_views_that_does_not_exist_is_refused(option, mend):
    """The default of all views of a file is not left out by a typing error."""
    assert mend in refusal(Views, **{option: True})


@pytest.mark.parametrize("option", ["meta", "cache", "public", "per_tenant"])
def test_an_option_that_is_true_or_false_is_checked(option):
    """The text `"no"` would count as true."""
    message = refusal(Views().get, "/x", **{option: "no"})

    assert message == f"GET /x: {option}='no': give True or False"


@pytest.mark.parametrize(
    "options",
    [{"criticality": "urgent"}, {"idempotency": "yes"}, {"max_values": 0}, {"meta": 1}],
)
def test_a_default_of_views_is_checked(options):
    """A wrong default is refused where it is written, not at the first view."""
    assert refusal(Views, **options).startswith("Views(...): ")


@pytest.mark.parametrize("view", [None, "get_product"])
def test_what_is_no_function_is_no_view(view):
    """The error names the route."""
    assert refusal(Views().get("/products"), view) == f"GET /products: {view!r} is no view"


async def rows():
    """Yield lines."""
    yield 1


def test_a_view_that_yields_is_a_stream():
    """The error names the decorator for it."""
    assert "view rows yields: declare it with @views.stream" in refusal(Views().get("/"), rows)


def test_what_is_no_composition_is_not_composed():
    """Also a type in place of a field."""
    assert refusal(compose, Shop) == "compose(Shop): pass a subclass of Composition"
    assert "GraphQL(...) takes a strawberry.Schema" in refusal(GraphQL, None)
    assert "shop = Shop is no field: write shop: Shop" in refusal(
        type, "Wrong", (Composition,), {"shop": Shop}
    )


def test_a_class_inside_a_composition_is_no_field():
    """It is a helper class."""

    class Home(Composition):
        class Row:
            pass

    assert Home.Row.__name__ == "Row"


@pytest.mark.parametrize(
    "variable", ["BFF_UPSTREM_SHOP", "BFF_UPSTREAMS_SHOP", "BFF_UPSTRAEM_SHOP", "BFF_UPSTREAN_SHOP"]
)
def test_a_misspelt_upstream_is_named(variable):
    """The warning names the variable that was meant."""
    with pytest.warns(ConfigurationWarning, match="did you mean BFF_UPSTREAM_SHOP?"):
        Settings.load({variable: "http://a"})


def test_a_misspelt_service_is_named():
    """The error about a missing address names a similar variable that is set."""
    with warnings.catch_warnings(action="error"):
        settings = Settings.load({"BFF_ENV": "development", "BFF_UPSTREAM_SHP": "http://a"})

    message = refusal(gateway, "shop", settings=settings, services=[Shop], faces=[views])

    assert message.endswith("BFF_UPSTREAM_SHP is set: is it meant?")


async def test_services_can_be_shown_before_the_gateway_runs():
    """`repr` shows layers and addresses; a call fails with an explanation."""
    app = gateway("shop", settings=LAPTOP, services=[Shop], faces=[views])
    before = repr(app.services[Shop])
    async with app.router.lifespan_context(app):
        running = repr(app.services[Shop])

    assert before == repr(app.services[Shop]) == running
    assert before.startswith("Shop\n  deadline ")
    assert "127.0.0.1:1" in before
    with pytest.raises(ConfigurationError, match="'shop' can be called while the gateway runs"):
        await app.services[Shop].product("1")
