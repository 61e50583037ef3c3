"""The catalog service: products and categories, in three languages, and their pictures."""

from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Query, Response

from services_mock.answers import answer
from services_mock.data import categories, goods, products, search
from services_mock.data.categories import Category
from services_mock.data.products import Product, Summary
from services_mock.locales import Locale, content_language
from services_mock.pages import Page, Paging, RequestedIds, batch, page
from services_mock.pictures import picture_of
from services_mock.problems import not_found
from services_mock.service import assemble
from services_mock.tags import about

Sort = Literal["popular", "newest", "title"]
View = Literal["summary", "full"]

PICTURE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "cross-origin-resource-policy": "cross-origin",
}
"""A picture never changes, and any page may show it; opened as a page it loads nothing."""

SVG = "image/svg+xml"

router = APIRouter(tags=["catalog"])


@router.get("/products", response_model=Page[Product] | Page[Summary])
async def list_products(
    *,
    locale: Locale,
    ids: RequestedIds,
    window: Paging,
    category: str | None = None,
    brand: str | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    tag: str | None = None,
    sort: Sort = "popular",
    view: View = "summary",
) -> Response:
    """Search products, or read many by their ids."""

    def load(product_id: str) -> Summary:
        tell = products.product if view == "full" else products.summary
        return tell(product_id, locale)

    if ids is not None:
        found = batch(ids, lambda one: load(one) if goods.exists(one) else None)
        return answer(found, headers=content_language(locale) | about("product", ids))
    is_unknown = category is not None and category not in categories.NODES
    rows = (
        ()
        if is_unknown
        else search.matching(sort=sort, locale=locale, category=category, brand=brand, q=q, tag=tag)
    )
    listed = page(
        rows,
        window,
        key=lambda item: search.key_of(sort, locale, item),
        load=lambda item: load(item.id),
        within=f"products {sort} {locale} {category} {brand} {q} {tag}",
    )
    shown = about("product", (one.id for one in listed.items))
    return answer(listed, headers=content_language(locale) | shown)


@router.get("/products/{product_id}", response_model=Product)
async def get_product(product_id: str, locale: Locale) -> Response:
    """Return one product with all that its page shows."""
    if not goods.exists(product_id):
        raise not_found("product", product_id)
    headers = content_language(locale) | about("product", (product_id,))
    return answer(products.product(product_id, locale), headers=headers)


@router.get("/categories", response_model=Page[Category])
async def list_categories(locale: Locale, ids: RequestedIds, parent: str | None = None) -> Response:
    """Return the tree, or some of its categories."""
    counts = search.counts()

    def find(category_id: str) -> Category | None:
        is_known = category_id in categories.NODES
        return categories.category(category_id, locale, counts, depth=1) if is_known else None

    if ids is not None:
        return answer(batch(ids, find), headers=content_language(locale))
    shown = categories.ROOT_IDS
    if parent is not None:
        shown = categories.children_of(parent)
    trees = [categories.category(one, locale, counts) for one in shown]
    return answer(Page(trees, None, len(trees)), headers=content_language(locale))


@router.get("/categories/{category_id}", response_model=Category)
async def get_category(category_id: str, locale: Locale) -> Response:
    """Return one category with all below it."""
    if category_id not in categories.NODES:
        raise not_found("category", category_id)
    tree = categories.category(category_id, locale, search.counts())
    return answer(tree, headers=content_language(locale))


@router.head("/pictures/{path:path}", include_in_schema=False)
@router.get(
    "/pictures/{path:path}",
    response_class=Response,
    responses={200: {"content": {SVG: {"schema": {"type": "string"}}}}},
)
async def get_picture(path: str) -> Response:
    """Draw a picture of a product, a category, a review or a customer."""
    body = picture_of(path)
    if body is None:
        raise not_found("picture", path)
    return Response(body, headers=PICTURE_HEADERS, media_type=SVG)


def create_app() -> FastAPI:
    """Return the catalog service."""
    return assemble(
        "catalog",
        router,
        summary="Products and categories in three languages",
        cache_control="public, max-age=300, stale-while-revalidate=600",
    )
