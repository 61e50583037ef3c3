"""Endpoints of routes: functions and other callables."""

from functools import partial
from typing import Annotated

import pytest
from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel

from bff_core import ANYONE, Composition, Require, Views, access, compose
from bff_core.auth.access import access_of
from tests.rest.conformance.three_ways import (
    Ask,
    assert_alike,
    feature,
    features,
)


class Screen(Composition):
    """A composition without parts."""


Composed = Annotated[Screen, Depends(compose(Screen))]


class Place(BaseModel):
    """The path parameters of a product."""

    shop: int
    product: str


class Adder:
    """A callable object."""

    def __init__(self, number: int) -> None:
        self.number = number

    async def __call__(self, other: int) -> int:
        return self.number + other

    async def method(self, other: int) -> int:
        return self.number - other


async def add(number: int, other: int = 1) -> int:
    return number + other


@feature
def function_with_values_filled_in(routes):
    routes.get("/x")(partial(add, 4))
    return Ask("/x?other=3", is_compiled=True)


@feature
def default_that_is_filled_in(routes):
    routes.get("/x")(partial(add, other=5))
    return Ask("/x?number=3", is_compiled=True)


@feature
def object_that_is_called(routes):
    routes.get("/x")(Adder(4))
    return Ask("/x?other=3", is_compiled=True)


@feature
def object_with_values_filled_in(routes):
    routes.get("/x")(partial(Adder(4), other=2))
    return Ask("/x", is_compiled=True)


@feature
def value_that_does_not_fit_an_object(routes):
    routes.get("/x")(Adder(4))
    return Ask("/x?other=three", is_compiled=True)


@feature
def method_of_an_object(routes):
    routes.get("/x")(Adder(4).method)
    return Ask("/x?other=3", is_compiled=True)


@feature
def described_request_and_response(routes):
    @routes.get("/x")
    async def x(
        request: Annotated[Request, "who calls"], response: Annotated[Response, "where cookies go"]
    ) -> str:
        response.set_cookie("method", request.method)
        return request.url.path

    return Ask()


@feature
def model_of_the_path(routes):
    @routes.get("/{shop}/{product}")
    async def x(place: Annotated[Place, Path()]) -> Place:
        return place

    return Ask("/7/tent")


@feature
def parameter_of_the_path_that_nothing_takes(routes):
    @routes.get("/products/{number}/{slug}")
    async def x(number: int, limit: int = 10) -> list[int]:
        return [number, limit]

    return Ask("/products/7/red-tent", is_compiled=True)


def test_composition_may_come_from_another_dependency():
    """The name of the function does not matter."""

    def compose(page: Composed) -> Screen:
        return page

    views = Views(access=ANYONE)

    @views.get("/x")
    async def x(page: Annotated[Screen, Depends(compose)]) -> str:
        return type(page).__name__

    assert len(views.router.routes) == 1


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_endpoint_is_called_alike(declare):
    """A gateway calls every kind of callable that FastAPI calls."""
    await assert_alike(declare)


def test_access_rule_of_a_function_holds_with_values_filled_in():
    """The rule of a function also holds for a `partial` of it."""
    rule = Require("orders:read")

    async def orders(shop: str) -> str:
        return shop

    views = Views(access=ANYONE)
    views.get("/x")(partial(access(rule)(orders), "north"))
    views.get("/y")(access(rule)(Adder(1)))

    assert [access_of(route.endpoint) for route in views.router.routes] == [rule, rule]
