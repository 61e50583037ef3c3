"""Unions of generated clients, `one_of`, in what views answer and read; and types without JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from bff_core import ANYONE, ConfigurationError, Views, gateway
from bff_core.service_clients import one_of
from bff_core.testing import client


@dataclass
class Person:
    """An option, which may hold another."""

    name: str
    friend: "Author | None" = None


class Shop(msgspec.Struct, rename="camel"):
    """An option with a tag that only it has."""

    shop_id: int
    kind: str = "shop"


@dataclass
class Robot:
    """An option without a name."""

    serial: str


@dataclass
class SecretRobot(Robot):
    """A value with more fields than declared."""

    key: str = "secret"


Author: Any = one_of("Author", lambda: (Person, Shop, Robot))


@dataclass
class Page:
    """An answer with unions at several places."""

    author: Author
    others: Sequence[Author]


class Money:
    """A class without a JSON form."""


@dataclass
class Price:
    """A type with a field that has no JSON form."""

    amount: Money | None


@dataclass
class Basket:
    """The same, further inside; it contains itself."""

    items: list[Price]
    next: "Basket | None"


class Crate(msgspec.Struct):
    """The same in a Struct."""

    by_name: dict[str, Price]


class Parcel(msgspec.Struct):
    """A Struct with a field that OpenAPI can't document."""

    content: msgspec.Raw


views = Views(access=ANYONE)


@views.get("/page")
async def get_page() -> Page:
    """Answer with each option."""
    return Page(Person("Ann", Shop(3)), [Shop(4), SecretRobot("r2")])


@views.post("/page")
async def post_page(page: Page) -> str:
    """Return what was read."""
    return repr(page)


async def test_a_view_answers_with_a_union() -> None:
    """Each value has the fields of its own type, under its names, and no others."""
    async with client(lambda: gateway("shop", faces=[views])) as c:
        answer = await c.get("/page")

    assert answer.json() == {
        "author": {
            "name": "Ann",
            "friend": {
                "shopId": 3,
                "kind": "shop",
            },
        },
        "others": [{"shopId": 4, "kind": "shop"}, {"serial": "r2"}],
    }


async def test_a_view_reads_a_union() -> None:
    """A body becomes the option that fits it; one that fits none is refused."""
    async with client(lambda: gateway("shop", faces=[views])) as c:
        good = await c.post("/page", json={"author": {"shopId": 3}, "others": [{"serial": "r2"}]})
        bad = await c.post("/page", json={"author": {"what": 3}, "others": []})

    assert good.json() == repr(Page(Shop(3), [Robot("r2")]))
    assert bad.status_code == 422


async def test_openapi_has_the_options() -> None:
    """The document lists the schemas of all options."""
    async with client(lambda: gateway("shop", faces=[views])) as c:
        schemas = (await c.get("/openapi.json")).json()["components"]["schemas"]

    options = schemas["Page-Output"]["properties"]["author"]["anyOf"]
    assert [one["$ref"].rpartition("/")[2] for one in options] == ["Person-Output", "Shop", "Robot"]


@pytest.mark.parametrize(
    ("declared", "culprit"),
    [
        (Basket, "$.items[].amount is Money"),
        (list[Money], "$[] is Money"),
        (Crate, "$.by_name[].amount is Money"),
        (Parcel, "$.content is Raw"),
        (one_of("Odd", lambda: (Robot, Price)), "$.amount is Money"),
    ],
)
def test_the_field_without_a_json_form_is_named(declared: object, culprit: str) -> None:
    """The error at the declaration has the path of the field, and its type."""

    async def get_it() -> object:
        raise NotImplementedError

    get_it.__annotations__["return"] = declared
    with pytest.raises(ConfigurationError) as caught:
        Views(access=ANYONE).get("/it")(get_it)

    assert culprit in str(caught.value)
