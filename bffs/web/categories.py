"""The categories of the shop, in three levels."""

import strawberry

from bff_core.graphql import ListSize, ShapeOf
from bffs.services.catalog import Category, CategoryGroup
from bffs.web.values import WebImage, WebNamed


class WebCategoryGroup(ShapeOf[CategoryGroup], name="CategoryGroup"):
    """Categories that belong together, such as jackets."""

    id: strawberry.ID
    name: str
    children: list[WebNamed] = strawberry.field(directives=[ListSize(assumed_size=3)])


class WebCategory(ShapeOf[Category], name="Category"):
    """A category at the root, such as clothing; `products` takes each id of the three levels."""

    id: strawberry.ID
    name: str
    product_count: int
    image: WebImage
    children: list[WebCategoryGroup] = strawberry.field(directives=[ListSize(assumed_size=3)])
