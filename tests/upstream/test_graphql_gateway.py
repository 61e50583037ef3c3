"""A gateway whose screen reads a GraphQL service: answers, part states, sagas, inspection."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    Policy,
    Saga,
    Views,
    compose,
    critical,
    gateway,
    step,
)
from bff_core.inspection.explanation import requests_of
from bff_core.inspection.reader import parts_of
from bff_core.saga.step_writes import plans_of
from bff_core.testing import asgi, client, reply
from tests.upstream.graphql_service import PRODUCT, SERVICE, ProductModel, ProductResult
from tests.upstream.graphql_service import Catalog as AnyCatalog


class Catalog(AnyCatalog):
    """The client, whose service has no Idempotency-Keys."""

    policy = Policy(keyed=False, retry=None)

    async def one(self, number: str) -> ProductModel | None:
        data = await self.query(PRODUCT, ProductResult, variables={"id": number})
        return data.product


class ProductPage(Composition):
    """A product."""

    catalog: Catalog
    number: str

    @critical
    async def product(self) -> ProductModel | None:
        return await self.catalog.one(self.number)


@dataclass
class ProductView:
    """The product as this client shows it."""

    title: str
    price: int | None


Page = Annotated[ProductPage, Depends(compose(ProductPage))]
views = Views(prefix="/v1", access=ANYONE)


@views.get("/products/{number}")
async def get_product(number: str, page: Page) -> ProductView | None:
    del number
    product = await page.product()
    return None if product is None else ProductView(product.title, product.price)


def make_app() -> Gateway:
    """Return the gateway."""
    return gateway("shop", services=[Catalog], faces=[views])


async def test_a_screen_reads_a_graphql_service():
    """The whole way from a client to a service that Strawberry serves, and back."""
    async with client(make_app, catalog=asgi(SERVICE)) as c:
        answer = await c.get("/v1/products/7")

    assert answer.json() == {"title": "Product 7", "price": 100}
    assert answer.headers["part-status"] == "product=ok"


async def test_an_answer_without_a_failed_field_is_partial():
    """The client learns that the price is missing because something failed."""
    async with client(make_app, catalog=asgi(SERVICE)) as c:
        answer = await c.get("/v1/products/13")

    assert answer.json() == {"title": "Product 13", "price": None}
    assert answer.headers["part-status"] == "product=partial;reason=graphql_errors"


@pytest.mark.parametrize(
    ("code", "status"),
    [("NOT_FOUND", 200), ("BAD_USER_INPUT", 422), ("FORBIDDEN", 502), ("TIMEOUT", 504)],
)
async def test_a_client_gets_what_is_about_its_request(code, status):
    """Errors have the status that an HTTP API would give them, by the same rules."""
    async with client(make_app, catalog=asgi(SERVICE)) as c:
        answer = await c.get(f"/v1/products/{code}")

    assert answer.status_code == status


async def test_a_script_names_the_operation():
    """A test scripts a GraphQL service by its operations."""
    found = {"data": {"product": {"id": "7", "title": "A lamp", "price": 1}}}

    async with client(make_app, catalog={"query Product": reply(200, found)}) as c:
        answer = await c.get("/v1/products/7")
        [call] = c.calls["catalog"]

    assert answer.json() == {"title": "A lamp", "price": 1}
    assert call.operation == "query Product"


def test_the_source_of_a_screen_shows_its_operations():
    """`bff explain` and other tools list an operation as they list a request."""
    [request] = requests_of(parts_of(ProductPage)["product"].step)

    assert str(request) == "query Product"
    assert (request.service, request.via) == (Catalog, "one")


class Reads(Saga):
    """A saga that only reads."""

    catalog: Catalog

    @step()
    async def look(self) -> None:
        await self.catalog.one("7")


class Writes(Saga):
    """A saga with a mutation that can't be repeated, and no check."""

    catalog: Catalog

    @step(commits=True)
    async def rename(self) -> None:
        await self.catalog.rename("7", "New")


def test_a_mutation_without_keys_needs_a_check():
    """A step that can't be repeated is refused at start; one that queries is not."""
    assert [one.name for one in plans_of(Reads)] == ["look"]
    with pytest.raises(ConfigurationError, match="does not support Idempotency-Keys"):
        plans_of(Writes)
