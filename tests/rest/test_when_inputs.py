"""`Require(when=...)` decides by names: each name stands for one input, on each way to a view."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import field
from typing import Annotated, Any

import pytest
from fastapi import Depends, Header, Path, Query
from pydantic import AfterValidator

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    Require,
    Settings,
    SignedIn,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
)
from bff_core.auth import DemoAuthenticator
from bff_core.testing import client


class Document(Composition):
    """A screen with an owner."""

    owner: str


class Invoice(Composition):
    """A screen with an owner that is read alike, and an input of its own."""

    owner: str
    number: int = 1

    @critical
    async def shown(self) -> str:
        return f"{self.number} of {self.owner}"


class Renamed(Composition):
    """A screen that reads its owner from another parameter."""

    owner: Annotated[str, Query(alias="other_owner")]


class OfHeader(Composition):
    """A screen that reads its owner from a header."""

    owner: Annotated[str, Header()]


class Lowered(Composition):
    """A screen that changes the owner."""

    owner: Annotated[str, AfterValidator(str.lower)]


class Optional(Composition):
    """A screen with a default."""

    owner: str = "ann"


class Made(Composition):
    """A screen that makes the owner, if a client sends none."""

    owner: str = field(default_factory=str)


class OfPath(Composition):
    """A screen that wants its owner in the path."""

    owner: Annotated[str, Path()]


async def no_op() -> None:
    """Take a view off the fast path."""


async def owner_of_token(viewer_name: str) -> str:
    return viewer_name


OWN = Require(when=lambda viewer, inputs: inputs["owner"] == viewer.subject)
Kinds = Sequence[Any]


def declare(views: Views, kinds: Kinds, path: str = "/x", **options: Any) -> None:
    """Declare a view with two parameters, the second of which may be called `owner`."""

    async def view(first: Any, owner: Any) -> str:
        return "shown"

    view.__annotations__.update(first=kinds[0], owner=kinds[1])
    views.get(path, **options)(view)


def declare_stream(views: Views, kinds: Kinds) -> None:
    """Declare a stream with two parameters."""

    async def view(first: Any, owner: Any) -> AsyncIterator[str]:
        yield "shown"

    view.__annotations__.update(first=kinds[0], owner=kinds[1])
    views.stream("/x")(view)


@pytest.mark.parametrize("declared", [declare, declare_stream])
@pytest.mark.parametrize(
    "kinds",
    [
        (Document, Renamed), (Document, OfHeader), (Document, Lowered), (Document, Optional),
        (Made, Made), (Renamed, str), (OfHeader, str), (Document, int), (Document, str | None),
        (Document, Annotated[str, Depends(owner_of_token)]),
    ],
)  # fmt: skip
def test_a_name_that_is_read_in_two_ways_is_refused(
    declared: Callable[[Views, Kinds], None], kinds: Kinds
) -> None:
    """The error names both screens; without `when` the view is fine."""
    declared(Views(), kinds)
    with pytest.raises(ConfigurationError, match=r"'owner' of .* and 'owner' of .* rename one"):
        declared(Views(access=OWN), kinds)


def shop() -> Gateway:
    """Return a gateway with views that read one owner for several parameters."""
    views = Views(access=OWN)
    for name, options in (("fast", {}), ("slow", {"dependencies": [Depends(no_op)]})):
        declare(views, (Document, Invoice), f"/two/{name}", **options)
        declare(views, (Document, str), f"/parameter/{name}", **options)
        declare(views, (SignedIn, Document), f"/viewer/{name}", **options)
        declare(views, (OfPath, Document), f"/path/{name}/{{owner}}", **options)
    return gateway("shop", faces=[views], authenticator=DemoAuthenticator(env="development"))


@pytest.mark.parametrize("way", ["fast", "slow"])
@pytest.mark.parametrize(
    "path", ["/two/{way}?owner=", "/parameter/{way}?owner=", "/viewer/{way}?owner=", "/path/{way}/"]
)
async def test_inputs_that_are_read_alike_are_one(path: str, way: str) -> None:
    """The rule decides by the value that all of the view's screens get, in both ways alike."""
    async with client(shop, viewer=Viewer("ann")) as shopper:
        answers = [await shopper.get(path.format(way=way) + one) for one in ("ann", "bob")]
    assert [one.status_code for one in answers] == [200, 403]


async def test_a_screen_of_the_authors_own_dependency_hides_no_input() -> None:
    """What no declaration shows is refused when the two values differ."""

    async def of_another(bff: str) -> Document:
        return Document(owner=bff)

    def make() -> Gateway:
        views = Views(access=OWN)

        @views.get("/x")
        async def view(page: Annotated[Any, Depends(of_another)], owner: str) -> str:
            return page.owner

        return gateway("shop", faces=[views], authenticator=DemoAuthenticator(env="development"))

    async with client(make, viewer=Viewer("ann")) as shopper:
        same = await shopper.get("/x?bff=ann&owner=ann")
        other = await shopper.get("/x?bff=bob&owner=ann")
    assert (same.status_code, same.json()) == (200, "ann")
    assert (other.status_code, other.json()["code"]) == (500, "configuration_error")


def test_a_viewer_of_a_dependency_is_in_the_list_of_rules() -> None:
    """`app.access` shows that a route needs a viewer, also if only a dependency takes it."""

    class Mine(Composition):
        customer: SignedIn

    views = Views(access=ANYONE, prefix="/views")
    outer = Views(access=ANYONE, prefix="/outer", dependencies=[Depends(compose(Mine))])

    @views.get("/page", dependencies=[Depends(compose(Mine))])
    @outer.get("/page")
    async def page() -> str:
        return "shown"

    @views.stream("/lines", dependencies=[Depends(compose(Mine))])
    async def lines() -> AsyncIterator[str]:
        yield "shown"

    settings, demo = Settings(env="development"), DemoAuthenticator(env="development")
    app = gateway("shop", faces=[views, outer], authenticator=demo, settings=settings)
    rules = {one.path: str(one.access) for one in app.access}
    expected = dict.fromkeys(("/views/page", "/outer/page", "/views/lines"), "signed in")
    assert rules | expected == rules
