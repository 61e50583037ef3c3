"""No client can send what the gateway fills: viewers and other types that are made of requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, NamedTuple, NewType, Self, TypeVar

import pytest
import strawberry
from fastapi import APIRouter, Body, Depends, FastAPI, Form, Query
from msgspec import Struct
from pydantic import BaseModel, Json
from typing_extensions import TypeAliasType, TypedDict

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    SignedIn,
    Viewer,
    Views,
    access,
    compose,
    critical,
    gateway,
)
from bff_core.auth import DemoAuthenticator
from bff_core.graphql import GraphQL, screen
from bff_core.scope import Scope
from bff_core.testing import client

T = TypeVar("T")
V = TypeVar("V", bound=Viewer)
ViewerLike = TypeVar("ViewerLike")

Customer = TypeAliasType("Customer", SignedIn)
Documented = TypeAliasType("Documented", Annotated[Customer, "the customer"])
Buyer = NewType("Buyer", SignedIn)


@dataclass
class Order:
    """A body with a viewer inside."""

    item: str
    viewer: SignedIn


class OrderModel(BaseModel):
    """The same as a model."""

    viewer: Viewer | None = None


class OrderStruct(Struct):
    """The same as a Struct."""

    viewer: SignedIn


class Basket(Struct):
    """A viewer deep inside."""

    orders: list[OrderStruct]


class OrderDict(TypedDict):
    """The same as a dict."""

    viewer: Buyer


class OrderTuple(NamedTuple):
    """The same as a tuple."""

    viewer: Customer


class Box(BaseModel, Generic[T]):
    """A generic model."""

    content: T


class Width(Struct):
    """A type of an author's that is made of the request."""

    pixels: int

    @classmethod
    def from_scope(cls, _scope: Scope) -> Self:
        return cls(800)


class Sized(Struct):
    """A body with it."""

    width: Width


SENT: Sequence[Any] = [
    Order, OrderModel, OrderStruct, Basket, OrderDict, OrderTuple, Box[SignedIn], Sized,
    list[Order], Order | None, dict[str, Order], list[Documented], Buyer | None, V,
    Annotated[Order, Body(embed=True)], Annotated[OrderModel, Form()],
    Annotated[OrderModel, Query()], Annotated[Json[OrderModel], Query()],
    NewType("Placed", Order), TypeAliasType("Sent", Order),
]  # fmt: skip


def declared(sent: object, *, in_screen: bool, views: Views) -> None:
    """Declare a view that reads a type from the client."""

    class Page(Composition):
        sent: Any

    async def view(sent: Any) -> str:
        return "never"

    taken: Any = Page if in_screen else sent
    Page.__annotations__["sent"] = sent
    view.__annotations__["sent"] = taken
    views.post("/orders", access=ANYONE)(view)


@pytest.mark.parametrize("sent", SENT, ids=str)
@pytest.mark.parametrize("case", [None, "camel"])
@pytest.mark.parametrize("in_screen", [False, True])
def test_a_view_that_would_read_a_viewer_is_refused(
    sent: object, case: Any, *, in_screen: bool
) -> None:
    """Wherever the viewer is inside an input, the declaration says that clients could send it."""
    with pytest.raises(ConfigurationError, match=r"client|the gateway fills"):
        declared(sent, in_screen=in_screen, views=Views(case=case))


def in_dependency() -> tuple[Gateway, str]:
    """Return a gateway whose route has a dependency that reads a viewer."""

    async def reads(order: Order) -> str:
        return order.item

    views = Views()

    @views.post("/orders", dependencies=[Depends(reads)])
    async def view() -> str:
        return "never"

    return gateway("shop", faces=[views]), "/orders"


def in_plain_route() -> tuple[Gateway, str]:
    """Return a gateway with a plain route that reads a viewer."""
    app, router = gateway("shop"), APIRouter()

    @router.post("/plain")
    async def plain(order: Order) -> str:
        return order.item

    app.include_router(router)
    return app, "/plain"


def in_mounted_app() -> tuple[Gateway, str]:
    """Return a gateway with a mounted app that reads a viewer."""
    app, mounted = gateway("shop"), FastAPI()

    @mounted.post("/inside")
    async def inside(order: Order) -> str:
        return order.item

    app.mount("/mounted", mounted)
    return app, "/inside"


@pytest.mark.parametrize("make", [in_dependency, in_plain_route, in_mounted_app])
async def test_other_routes_are_refused_at_the_start(
    make: Callable[[], tuple[Gateway, str]],
) -> None:
    """A gateway does not start if a route beside its views would read a viewer."""
    with pytest.raises(ConfigurationError, match="any client could send it"):
        async with client(lambda: make()[0]):
            pass


class Base(Composition, Generic[ViewerLike]):
    """A screen for each kind of viewer."""

    customer: ViewerLike

    @critical
    async def name(self) -> str:
        return self.customer.subject


class Middle(Base[V], Generic[V]):
    """A screen between."""


class Mine(Middle[SignedIn]):
    """The screen of signed-in viewers."""


class ByAlias(Composition):
    """A screen whose viewers have other names."""

    one: Customer
    two: Documented
    three: Buyer
    four: Annotated[Buyer, "a buyer"]

    @critical
    async def name(self) -> str:
        return "".join({one.subject for one in (self.one, self.two, self.three, self.four)})


def by_other_names() -> Gateway:
    """Return a gateway whose views and screens take viewers by other names."""
    views = Views(access=ANYONE)

    @views.post("/generic")
    async def generic(page: Mine) -> str:
        return await page.name()

    @views.post("/screen")
    async def by_alias(page: Annotated[ByAlias, "a page"]) -> str:
        return await page.name()

    @views.post("/view")
    async def view(one: Documented, two: Buyer, three: Annotated[Customer, "a customer"]) -> str:
        return "".join({one.subject, two.subject, three.subject})

    @views.post("/depends")
    async def depends(
        page: TypeAliasType("Page", Annotated[ByAlias, Depends(compose(ByAlias))]),
    ) -> str:
        return await page.name()

    return gateway("shop", faces=[views], authenticator=DemoAuthenticator(env="development"))


@pytest.mark.parametrize("path", ["/generic", "/screen", "/view", "/depends"])
async def test_other_names_of_viewers_stand_for_the_viewer(path: str) -> None:
    """An alias, a NewType and the argument of a generic base are filled, never read."""
    sent = {"subject": "victim"}
    async with client(by_other_names) as shopper:
        anonymous = await shopper.post(f"{path}?one=victim&customer=victim", json=sent)
        ann = await shopper.as_viewer("ann").post(path, json={"customer": sent, "one": sent})
    assert anonymous.status_code == 401
    assert ann.json() == "ann"


def test_a_generic_screen_of_views_is_refused_with_a_way_out() -> None:
    """A view takes a class; the error says so for a subscripted screen and for a bound."""
    views = Views()
    with pytest.raises(ConfigurationError, match="take a class of your own that extends it"):

        @views.get("/subscripted")
        async def subscripted(page: Base[SignedIn]) -> str:
            return await page.name()


def test_a_final_viewer_is_refused_with_a_way_out() -> None:
    """An annotation that only looks like a viewer names the one to write."""

    class Page(Composition):
        viewer: Final[SignedIn]

    with pytest.raises(ConfigurationError, match="write viewer: SignedIn"):
        compose(Page)


def test_a_graphql_input_with_a_viewer_is_refused() -> None:
    """GraphQL has no type for a viewer, neither as an argument nor inside an input."""

    class Page(Composition):
        order: Any

        @critical
        async def item(self) -> str:
            return "never"

    @strawberry.input
    class Placed:
        viewer: SignedIn

    Page.__annotations__["order"] = Placed

    def schema() -> GraphQL:
        @strawberry.type
        class Query:
            item: str = screen(Page.item)

        return GraphQL(strawberry.Schema(Query))

    with pytest.raises(TypeError, match="SignedIn"):
        gateway("shop", faces=[schema()])


def test_mixins_of_screens_learn_of_their_subclasses() -> None:
    """A base class beside Composition gets its keyword, as in any class of Python."""
    found: list[str] = []

    class Tagged:
        def __init_subclass__(cls, *, tag: str = "", **options: object) -> None:
            super().__init_subclass__(**options)
            found.append(tag)

    class Page(Composition, Tagged, tag="page"):
        number: int

    assert found == ["page"]


@access(ANYONE)
async def returning(viewer: Annotated[Viewer, Depends(lambda: Viewer("ann"))]) -> Viewer:
    """Return a viewer, which is allowed: it goes to a client and comes from none."""
    return viewer


async def test_a_viewer_may_be_returned() -> None:
    """Only inputs are refused; a route may send a viewer."""

    def make() -> Gateway:
        app = gateway("shop")
        app.get("/me")(returning)
        return app

    async with client(make) as shopper:
        answer = await shopper.get("/me")
    assert answer.json()["subject"] == "ann"
