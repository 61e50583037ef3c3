"""The page of one product: only what is selected is called."""

import strawberry

from bff_core.graphql import Info, ListSize, ShapeOf, each, part, value
from bffs.compositions.product import ProductPage
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Attribute, Choice, Option, Variant
from bffs.services.pricing import SkuPrice
from bffs.services.reviews import Review
from bffs.web.shelf import WebCard, WebDelivery, WebPrice, WebRating, WebStock
from bffs.web.values import WebImage, WebMoney, WebNamed


class WebReview(ShapeOf[Review], name="Review"):
    """What one customer says of a product; `rating` from 1 to 5."""

    id: strawberry.ID
    author: WebNamed
    rating: int
    title: str
    body: str
    created_at: str


class WebAttribute(ShapeOf[Attribute], name="Attribute"):
    """Something to know of a product, such as its material."""

    label: str
    value: str = value(Attribute, lambda attribute: str(attribute.value))
    unit: str | None


@strawberry.type(name="Option")
class WebOption:
    """One choice that makes a variant, such as colour and black."""

    name: str
    value: str


class WebChoice(ShapeOf[Choice], name="OptionValue"):
    """One value of an option, such as black."""

    id: strawberry.ID
    label: str


class WebProductOption(ShapeOf[Option], name="ProductOption"):
    """What a buyer chooses: colour or size; `name` and the ids of values are in variants."""

    name: str
    label: str
    values: list[WebChoice] = strawberry.field(directives=[ListSize(assumed_size=6)])


class WebVariant(ShapeOf[Variant], name="Variant"):
    """What can be bought: the product in a colour and a size.

    `imageIndex` is the one of the product's images that shows it.
    """

    sku: str
    image_index: int
    options: list[WebOption] = value(
        Variant,
        lambda variant: [WebOption(name=name, value=one) for name, one in variant.options.items()],
        directives=[ListSize(assumed_size=3)],
    )


class WebVariantPrice(ShapeOf[SkuPrice], name="VariantPrice"):
    """What one variant costs."""

    sku: str
    price: WebMoney


async def get_variant_prices(
    product: strawberry.Parent["WebProduct"], info: Info
) -> list[WebVariantPrice]:
    """Return what each variant costs; an empty list if prices are unavailable."""
    price = await info.context.compose(Shelf).price(product.source.product_id)
    return each(WebVariantPrice.of)(price.variants) if price else []


async def get_rating(product: strawberry.Parent["WebProduct"], info: Info) -> WebRating | None:
    """Return what customers think of it: one call also brings that of related products."""
    page = product.source
    related = (await page.product()).related
    mine, *_ = await info.context.compose(Shelf).rating.many((page.product_id, *related))
    return None if mine is None else WebRating.of(mine)


async def get_delivery(product: strawberry.Parent["WebProduct"], info: Info) -> list[WebDelivery]:
    """Return the ways to get it; none while inventory is unavailable."""
    stock = await info.context.compose(Shelf).stock(product.source.product_id)
    return [] if stock is None else each(WebDelivery.of)(stock.delivery)


class WebProduct(ShapeOf[ProductPage], name="Product"):
    """A product, what people say of it, and what goes with it."""

    id: strawberry.ID = value(ProductPage, lambda page: strawberry.ID(page.product_id))
    title: str = part(ProductPage.product, lambda product: product.title)
    subtitle: str = part(ProductPage.product, lambda product: product.subtitle)
    description: str = part(ProductPage.product, lambda product: product.description)
    default_sku: str = part(ProductPage.product, lambda product: product.default_sku)
    brand: WebNamed = part(ProductPage.product, lambda product: WebNamed.of(product.brand))
    category: WebNamed = part(ProductPage.product, lambda product: WebNamed.of(product.category))
    images: list[WebImage] = part(
        ProductPage.product,
        lambda product: each(WebImage.of)(product.images),
        directives=[ListSize(assumed_size=5)],
    )
    attributes: list[WebAttribute] = part(
        ProductPage.product, lambda product: each(WebAttribute.of)(product.attributes)
    )
    options: list[WebProductOption] = part(
        ProductPage.product,
        lambda product: each(WebProductOption.of)(product.options),
        directives=[ListSize(assumed_size=2)],
    )
    variants: list[WebVariant] = part(
        ProductPage.product, lambda product: each(WebVariant.of)(product.variants)
    )
    price: WebPrice | None = part(Shelf.price, WebPrice.of, key="product_id")
    variant_prices: list[WebVariantPrice] = strawberry.field(
        resolver=get_variant_prices, directives=[ListSize(assumed_size=20)]
    )
    stock: WebStock | None = part(Shelf.stock, WebStock.of, key="product_id")
    delivery: list[WebDelivery] = strawberry.field(
        resolver=get_delivery, directives=[ListSize(assumed_size=3)]
    )
    rating: WebRating | None = strawberry.field(resolver=get_rating)
    reviews: list[WebReview] = part(ProductPage.reviews, each(WebReview.of), most=20)
    related: list[WebCard] = part(ProductPage.related, each(WebCard.of), most=12)
