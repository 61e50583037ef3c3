"""Declarations without effect are warned about at start-up; errors name the route."""

import pytest
import strawberry
from starlette.staticfiles import StaticFiles

from bff_core import (
    ANYONE,
    Composition,
    FirstOf,
    Limit,
    Require,
    Upstream,
    Viewer,
    Views,
    access,
    critical,
    gateway,
)
from bff_core.errors import ConfigurationError
from bff_core.graphql import GraphQL
from tests.startup.conftest import settings, started


class Catalog(Upstream):
    """A service that is not listed."""


class Page(Composition):
    """A screen that needs it."""

    catalog: Catalog

    @critical
    async def name(self) -> str:
        """Return something."""
        return "tent"


@strawberry.type
class Query:
    """A schema with a guarded field."""

    @strawberry.field
    @access(Require("orders:read"))
    def orders(self) -> int:
        """Return something."""
        return 1


def views():
    """Return two views."""
    made = Views(prefix="/v1")

    @made.get("/products/{sku}")
    async def product(sku: str) -> int:
        return 1

    @made.post("/orders")
    async def order() -> int:
        return 1

    return made


def faces():
    """Return the faces of a gateway."""
    return [views(), GraphQL(strawberry.Schema(Query))]


MATCHING = [
    {"paths": ("/",)},
    {"paths": ("/v1",)},
    {"paths": ("/v1/products",)},
    {"paths": ("/v1/products/7",)},
    {"paths": ("/graphql",), "cost": "query"},
    {"paths": ("/v1/orders",), "methods": ("POST",)},
    {"paths": ("/openapi.json",)},
    {"paths": ("/operator",), "by": "address"},
    {"paths": ("/operator/purge",), "by": "address"},
    {"paths": ("/hooks/purge",), "by": "address"},
    {"paths": ("/files/logo.svg",)},
    {"exempt": ("/v1/orders",)},
    {"methods": ("GET",), "paths": ("/v1/products",)},
]

IDLE = [
    ({"paths": ("/grapql",), "cost": "query"}, "paths", "/grapql is the beginning of no route"),
    ({"paths": ("/v1", "/v2")}, "paths", "/v2 is the beginning of no route"),
    ({"paths": ("/v1/product",)}, "paths", "/v1/product is the beginning of no route"),
    ({"paths": ("/v1/orders/7",)}, "paths", "/v1/orders/7 is the beginning of no route"),
    ({"paths": ("/products",)}, "paths", "/products is the beginning of no route"),
    ({"paths": ("/v1/orders",), "methods": ("PATCH",)}, "paths", "no route for PATCH: is it"),
    ({"exempt": ("/health",)}, "exempt", "/health is the beginning of no route"),
]


def with_files(app):
    """Mount something below a path."""
    app.mount("/files", StaticFiles(directory="."))


@pytest.mark.parametrize("options", MATCHING, ids=str)
async def test_a_limit_of_paths_that_there_are_is_not_warned_of(options):
    """For paths of templates, mounts, and the gateway's own endpoints."""
    limits = [Limit(quota=5, name="mine", **options)]
    async with started(settings(), faces=faces(), limits=limits, add=with_files) as heard:
        pass

    assert not [name for name in heard.warned if name.startswith("Limit")]


@pytest.mark.parametrize(("options", "option", "reason"), IDLE, ids=lambda one: str(one)[:40])
async def test_a_limit_of_a_path_that_there_is_not_is_warned_of(options, option, reason):
    """Otherwise the limit would silently count nothing."""
    limits = [Limit(quota=5, name="mine", **options)]
    async with started(settings(), faces=faces(), limits=limits) as heard:
        pass

    assert reason in heard.warned[f"Limit 'mine'.{option}"]


async def test_a_rule_that_no_caller_can_meet_is_warned_of():
    """Views, plain routes and GraphQL fields require a viewer, but no authenticator exists."""
    guarded = Views(prefix="/r")

    @guarded.get("/orders", access=Require("orders:read"))
    async def orders() -> int:
        return 1

    def plain(app):
        @app.get("/me")
        @access(Require())
        async def me() -> int:
            return 1

    async with started(settings(), faces=[guarded, *faces()], add=plain) as heard:
        pass

    reason = heard.warned["authenticator"]
    assert reason.startswith("GET /r/orders, GET /me, ")
    assert "Query.orders" in reason
    assert "this gateway has no authenticator" in reason


class Tokens:
    """Knows no viewer."""

    challenge = "Bearer"

    async def authenticate(self, scope) -> Viewer | None:
        """Return no viewer."""
        return None


@pytest.mark.parametrize("authenticator", [None, Tokens()])
async def test_a_gateway_whose_rules_can_be_met_is_not_warned(authenticator):
    """There is an authenticator, or nothing that needs one."""
    made = Views(access=ANYONE if authenticator is None else Require())

    @made.get("/orders")
    async def orders() -> int:
        return 1

    async with started(settings(), faces=[made], authenticator=authenticator) as heard:
        pass

    assert "authenticator" not in heard.warned


class NoChallenge:
    """An authenticator without a challenge."""

    async def authenticate(self, scope):
        """Return no viewer."""


class NeedsKey(Tokens):
    """An authenticator that can't be made without an argument."""

    def __init__(self, key: str) -> None:
        self.key = key


class NoMethod:
    """A class that is no authenticator."""

    challenge = "Bearer"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NoChallenge(), "NoChallenge.challenge is missing: an authenticator declares the WWW"),
        (FirstOf(Tokens(), NoChallenge()), "NoChallenge.challenge is missing"),
        (NeedsKey, "authenticator=NeedsKey: that is a class which needs arguments (missing a"),
        (NoMethod, "authenticator=NoMethod: that is a class, pass an instance of it"),
        (lambda _: NoMethod(), "authenticator=NoMethod: an authenticator has a method"),
        (lambda _: None, "authenticator=NoneType: an authenticator has a method"),
    ],
)
def test_what_is_no_authenticator_is_refused_in_words(given, expected):
    """At start-up, not with an AttributeError at the first request."""
    with pytest.raises(ConfigurationError) as raised:
        gateway("till", settings=settings(), authenticator=given)

    assert expected in str(raised.value)


def sync() -> int:
    """Be no coroutine."""
    return 1


async def unstreamed() -> int:
    """Yield nothing."""
    return 1


@pytest.mark.parametrize(
    ("declare", "endpoint", "expected"),
    [
        (lambda made: made.get("/x"), sync, f"GET /v1/x ({__name__}.sync): view sync"),
        (lambda made: made.stream("/y"), unstreamed, f"GET /v1/y ({__name__}.unstreamed): stream"),
        (lambda made: made.post("/z", max_values=0), unstreamed, "POST /v1/z: max_values=0"),
        (lambda made: made.put("/z", idempotency="x"), unstreamed, "PUT /v1/z: "),
        (lambda made: made.get("/z", criticality="x"), unstreamed, "GET /v1/z: "),
    ],
)
def test_a_view_that_is_declared_wrongly_is_named(declare, endpoint, expected):
    """The error names method, path and function."""
    with pytest.raises(ConfigurationError) as raised:
        declare(Views(prefix="/v1"))(endpoint)

    assert str(raised.value).startswith(expected)
