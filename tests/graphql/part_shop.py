"""A schema whose fields are parts: each kind of field once, over the services of the shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Generic, TypeVar

import strawberry
from fastapi import Query as Bound
from graph_shop import Catalog, Product, Reviews, Stock
from strawberry.scalars import JSON

from bff_core import ANYONE, Composition, Require, Viewer, access, critical, loader, optional
from bff_core.graphql import Cost, Info, ShapeOf, each, part, screen, value

T = TypeVar("T")


@strawberry.enum
class Order(Enum):
    """How reviews are sorted."""

    NEWEST = "newest"
    BEST = "best"


@strawberry.input
class Filter:
    """Which reviews are wanted; not hashable, as input types are by default."""

    stars: list[int]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A review."""

    text: str
    stars: int
    author_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A page of a list."""

    items: tuple[T, ...]
    total: int


class Counts(Composition):
    """What many fields load of many products; it has no inputs."""

    stock: Stock

    @loader(missing=None, fallback=None)
    async def count(self, ids: tuple[str | None, ...]) -> Mapping[str | None, int]:
        """How many there are."""
        return await self.stock.counts(tuple(one or "" for one in ids))


class Page(Composition):
    """A product and what people say of it."""

    catalog: Catalog
    reviews_service: Reviews
    viewer: Viewer
    product_id: str

    @critical
    async def product(self) -> Product:
        """Return the product itself.

        This is for the readers of the code only.
        """
        return await self.catalog.product(self.product_id)

    @optional(fallback=())
    async def reviews(self, first: int = 3, sort_by: Order = Order.NEWEST) -> Sequence[Review]:
        """Return the reviews,
        sorted.
        """  # noqa: D205 # a paragraph of two lines
        texts = await self.reviews_service.of(self.product_id)
        found = [Review(text, stars) for stars, text in enumerate(texts, 1)]
        return (found if sort_by is Order.NEWEST else found[::-1])[:first]

    @optional
    async def rating(self) -> float:
        return await self.reviews_service.rating(self.product_id)

    @optional
    async def matching(self, wanted: Filter, *, words: tuple[str, ...] = ()) -> Sequence[Review]:
        assert isinstance(wanted, Filter)
        assert isinstance(words, tuple)
        texts = await self.reviews_service.of(self.product_id)
        return [Review(f"{text} {wanted.text} {','.join(words)}", 1) for text in texts]

    @critical
    async def any_of(self, what: JSON, text: str | None, first: int | None = 2) -> str:
        return f"{what} {text} {first}"

    @optional(fallback=())
    async def holes(self) -> Sequence[Review | None]:
        return [Review("one", 1), None]

    @critical
    async def bounded(self, size: Annotated[float, Bound(ge=1, le=5)], take: int | None = 2) -> str:
        return f"{size} {take}"

    @critical
    async def renamed(self, title: str) -> Product:
        return await self.catalog.rename(self.product_id, title)


class Search(Composition):  # noqa: D101 # no docstring on purpose
    q: Annotated[str, Bound(max_length=5)] = ""
    limit: int = 2

    @critical
    async def page(self) -> Found[Product]:
        """Return what matches."""
        products = [Product(str(n), self.q) for n in range(self.limit)]
        return Found(tuple(products), len(products))


@strawberry.type(name="Review")
class WebReview(ShapeOf[Review]):
    """A review as clients see it."""

    text: str
    stars: int
    count: int | None = part(Counts.count, key="author_id")
    loud: str = value(Review, lambda review: review.text.upper())


@strawberry.type(name="Card")
class WebCard(ShapeOf[Product]):
    """A product in a list."""

    id: strawberry.ID
    title: str
    count: int | None = part(Counts.count, key="id")

    @strawberry.field
    def label(self) -> str:
        return f"{self.title} ({self.source.id})"


@strawberry.type(name="Found")
class WebFound(ShapeOf[Found[Product]]):
    """A page of products."""

    items: list[WebCard]
    total: int


@strawberry.type(name="Product")
class WebProduct(ShapeOf[Page]):
    """A product."""

    product_id: strawberry.ID
    card: WebCard = part(Page.product, WebCard.of)
    title: str = part(Page.product, lambda product: product.title)
    reviews: list[WebReview] = part(
        Page.reviews, each(WebReview.of), most=4, directives=[Cost(weight=2)]
    )
    rating: float | None = part(Page.rating)
    stars: str | None = part(Page.rating, lambda rating: "*" * round(rating))
    matching: list[WebReview] | None = part(Page.matching, each(WebReview.of))
    any_of: str = part(Page.any_of, most=2)
    holes: list[WebReview | None] = part(Page.holes, each(WebReview.of), name="gaps")
    bounded: str = part(
        Page.bounded,
        most=3,
        arguments={"take": Annotated[int | None, strawberry.argument(description="How many.")]},
        deprecation_reason="too small",
    )
    secret: WebCard | None = part(
        Page.product, WebCard.of, access=Require("secrets"), description="Not for all."
    )
    same: str | None = part(
        Page.bounded,
        access=Require(when=lambda viewer, inputs: inputs["size"] == 2),
        arguments={"size": "wide"},
    )


@strawberry.type(name="Held")
class HeldNode:
    """A type that holds its screen in a private field, and an attribute of its own."""

    page: strawberry.Private[Page]
    id: strawberry.ID
    title: str = part(Page.product, lambda product: product.title)
    count: int | None = part(Counts.count, key="id")


def find(search: Search) -> WebFound:
    """Return what a screen finds, without a part."""
    return WebFound.of(Found((), search.limit))


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    product: WebProduct | None = screen(Page, WebProduct.of, arguments={"product_id": "id"})
    held: HeldNode = screen(
        Page, lambda page: HeldNode(page=page, id=strawberry.ID(page.product_id))
    )
    search: WebFound | None = screen(
        Search.page, WebFound.of, arguments={"limit": "first"}, most=10
    )
    reviews: list[WebReview] = screen(Page.reviews, each(WebReview.of))
    find: WebFound = screen(Search, find)

    @strawberry.field
    def made(self) -> WebCard:
        return WebCard(id=strawberry.ID("1"), title="by hand")


@access(ANYONE)
@strawberry.type
class Mutation:
    """What can be changed."""

    rename: WebCard | None = screen(Page.renamed, WebCard.of)

    @strawberry.mutation
    async def again(self, info: Info, product_id: str, title: str) -> WebProduct:
        page = info.context.compose_anew(Page, product_id=product_id)
        await page.renamed(title)
        return WebProduct.of(page)


SCHEMA = strawberry.Schema(Query, Mutation)
