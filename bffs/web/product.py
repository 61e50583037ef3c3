"""The page of one product; its value is the `ProductPage`: only what is selected is called."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import strawberry

from bff_core.graphql import Info, ListSize
from bffs.compositions.product import ProductPage
from bffs.services.catalog import Attribute, Product, Summary, Variant
from bffs.services.inventory import Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating, Review
from bffs.web.shelf import WebCard, WebPrice, WebRating, WebStock, shelf
from bffs.web.values import WebImage, WebNamed, at_most

T = TypeVar("T")
Page = strawberry.Parent[ProductPage]


@strawberry.type(name="Review")
class WebReview:
    """What one customer says of a product; `rating` from 1 to 5."""

    id: strawberry.ID
    author: WebNamed
    rating: int
    title: str
    body: str
    created_at: str


def get_value(attribute: strawberry.Parent[Attribute]) -> str:
    """Return the value as text."""
    return str(attribute.value)


@strawberry.type(name="Attribute")
class WebAttribute:
    """Something to know of a product, such as its material."""

    label: str
    value: str = strawberry.field(resolver=get_value)
    unit: str | None


@strawberry.type(name="Option")
class WebOption:
    """One choice that makes a variant, such as colour and black."""

    name: str
    value: str


def get_options(variant: strawberry.Parent[Variant]) -> list[WebOption]:
    """Return the choices by name."""
    return [WebOption(name=name, value=value) for name, value in variant.options.items()]


@strawberry.type(name="Variant")
class WebVariant:
    """What can be bought: the product in a colour and a size."""

    sku: str
    options = strawberry.field(
        resolver=get_options, graphql_type=list[WebOption], directives=[ListSize(assumed_size=3)]
    )


def from_catalog(pick: Callable[[Product], T]) -> Callable[[Page], Awaitable[T]]:
    """Return a resolver of one field that the catalog has of the product."""

    async def resolve(page: Page) -> T:
        return pick(await page.product())

    return resolve


def get_id(page: Page) -> strawberry.ID:
    """Return the id of the request."""
    return strawberry.ID(page.product_id)


async def get_price(page: Page, info: Info) -> Price | None:
    """Return what it costs."""
    return await shelf(info).price(page.product_id)


async def get_stock(page: Page, info: Info) -> Stock | None:
    """Return how much of it there is."""
    return await shelf(info).stock(page.product_id)


async def get_rating(page: Page, info: Info) -> Rating | None:
    """Return what customers think of it: one call also brings that of related products."""
    product = await page.product()
    mine, *_ = await shelf(info).rating.many((page.product_id, *product.related))
    return mine


async def get_reviews(page: Page, first: int = 3) -> Sequence[Review]:
    """Return the most helpful reviews."""
    return await page.reviews(at_most(20, first))


async def get_related(page: Page, first: int = 12) -> Sequence[Summary]:
    """Return products that go with it."""
    return await page.related(at_most(12, first))


@strawberry.type(name="Product")
class WebProduct:
    """A product, what people say of it, and what goes with it."""

    id: strawberry.ID = strawberry.field(resolver=get_id)
    title: str = strawberry.field(resolver=from_catalog(lambda product: product.title))
    subtitle: str = strawberry.field(resolver=from_catalog(lambda product: product.subtitle))
    description: str = strawberry.field(resolver=from_catalog(lambda product: product.description))
    brand = strawberry.field(
        resolver=from_catalog(lambda product: product.brand), graphql_type=WebNamed
    )
    category = strawberry.field(
        resolver=from_catalog(lambda product: product.category), graphql_type=WebNamed
    )
    default_sku: str = strawberry.field(resolver=from_catalog(lambda product: product.default_sku))
    images = strawberry.field(
        resolver=from_catalog(lambda product: product.images),
        graphql_type=list[WebImage],
        directives=[ListSize(assumed_size=5)],
    )
    attributes = strawberry.field(
        resolver=from_catalog(lambda product: product.attributes), graphql_type=list[WebAttribute]
    )
    variants = strawberry.field(
        resolver=from_catalog(lambda product: product.variants), graphql_type=list[WebVariant]
    )
    price = strawberry.field(resolver=get_price, graphql_type=WebPrice | None)
    stock = strawberry.field(resolver=get_stock, graphql_type=WebStock | None)
    rating = strawberry.field(resolver=get_rating, graphql_type=WebRating | None)
    reviews = strawberry.field(resolver=get_reviews, graphql_type=list[WebReview])
    related = strawberry.field(resolver=get_related, graphql_type=list[WebCard])
