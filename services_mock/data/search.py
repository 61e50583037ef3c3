"""The catalog's search index: which products a list contains, and their order."""

import functools
from collections import Counter

from services_mock.data import categories, goods, products
from services_mock.data.goods import Good

Key = tuple[str | int, ...]


def popular(item: Good) -> Key:
    """Order by popularity, best sellers first."""
    return (item.popularity,)


def newest(item: Good) -> Key:
    """Order by release, youngest first."""
    return (item.age_days, int(item.id))


def titled(locale: str, item: Good) -> Key:
    """Order by title as a reader of the language sees it."""
    return (goods.title(item.id, locale).casefold(), int(item.id))


def key_of(sort: str, locale: str, item: Good) -> Key:
    """Return what a good is ordered by in one of the orders."""
    if sort == "title":
        return titled(locale, item)
    return newest(item) if sort == "newest" else popular(item)


@functools.cache
def ordered(sort: str, locale: str) -> tuple[Good, ...]:
    """Return all goods in one of the orders."""
    return tuple(sorted(goods.everything(), key=functools.partial(key_of, sort, locale)))


@functools.lru_cache(maxsize=goods.COUNT * 3)
def words_of(product_id: str, locale: str) -> str:
    """Return the searched text of a product, case-folded."""
    brief = products.summary(product_id, locale)
    return " ".join((brief.title, brief.subtitle, brief.category.name, *brief.colors)).casefold()


@functools.lru_cache(maxsize=256)
def matching(
    *,
    sort: str,
    locale: str,
    category: str | None,
    brand: str | None,
    q: str | None,
    tag: str | None,
) -> tuple[Good, ...]:
    """Return the goods that satisfy all filters that are given, in order."""
    found = ordered(sort, locale)
    if category is not None:
        leaves = categories.leaves_under(category)
        found = tuple(item for item in found if item.category in leaves)
    if brand is not None:
        found = tuple(item for item in found if item.brand == brand)
    if tag is not None:
        found = tuple(item for item in found if tag in products.summary(item.id, locale).tags)
    if q:
        sought = q.casefold().split()
        found = tuple(
            item for item in found if all(word in words_of(item.id, locale) for word in sought)
        )
    return found


@functools.cache
def counts() -> dict[str, int]:
    """Return how many products each leaf category holds."""
    return Counter(item.category for item in goods.everything())
