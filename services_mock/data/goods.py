"""The index of all products, which every service uses.

A `Good` has what several services must agree on (category, variants, base price). What only
one of them needs is in the data module of that service.
"""

import functools
import random
from dataclasses import dataclass

from services_mock.data import categories, ids, seed, text
from services_mock.data.money import shop_price
from services_mock.data.text import LOCALES

COUNT = 2400


@dataclass(frozen=True, slots=True)
class Variant:
    """One colour and size of a good."""

    sku: str
    color: str
    size: str


@dataclass(frozen=True, slots=True)
class Good:
    """One product, as all services know it; the price in minor units, before discounts."""

    id: str
    category: str
    brand: str
    model: str
    colors: tuple[str, ...]
    price: int
    age_days: int
    popularity: int
    variants: tuple[Variant, ...]


@functools.cache
def popularity_ranks() -> tuple[int, ...]:
    """Return a rank from 1 (the best seller) for each good, in the order of ids."""
    ranks = list(range(1, COUNT + 1))
    seed.draw("popularity").shuffle(ranks)
    return tuple(ranks)


def exists(product_id: str) -> bool:
    """Whether there is such a product."""
    return ids.is_between(product_id, 1, COUNT)


@functools.lru_cache(maxsize=COUNT)
def good(product_id: str) -> Good:
    """Return a good that exists."""
    chance = seed.draw("good", product_id)
    category = chance.choice(categories.LEAF_IDS)
    leaf = categories.LEAVES[category]
    colors = tuple(seed.some(chance, tuple(text.localized("colors")), 1, 5))
    # Prices crowd at the lower end of a category's span, as they do in shops.
    price = leaf.low + (leaf.high - leaf.low) * chance.betavariate(1.6, 3.2)
    return Good(
        id=product_id,
        category=category,
        brand=chance.choice(text.rows("brands"))[0],
        model=_model(chance),
        colors=colors,
        price=shop_price(price),
        age_days=int(chance.expovariate(1 / 420)) + 3,
        popularity=popularity_ranks()[int(product_id) - 1],
        variants=_variants(chance, product_id, colors, leaf.sizes),
    )


def _model(chance: random.Random) -> str:
    name = chance.choice(text.words(text.lines("models")[0]))
    return f"{name} {chance.choice(('', '2', '3', 'Pro', 'Light', 'Mini', 'XT', '45'))}".strip()


def _variants(
    chance: random.Random,
    product_id: str,
    colors: tuple[str, ...],
    sizes: tuple[tuple[str, str], ...],
) -> tuple[Variant, ...]:
    first = chance.randint(0, max(0, len(sizes) - 5))
    chosen = sizes[first : first + 6]
    return tuple(
        Variant(f"{product_id}-{color}-{size}", color, size)
        for color in colors
        for size, _ in chosen
    )


@functools.cache
def everything() -> tuple[Good, ...]:
    """Return all goods in the order of their ids."""
    return tuple(good(str(number)) for number in range(1, COUNT + 1))


@functools.cache
def in_category(leaf: str) -> tuple[Good, ...]:
    """Return a leaf category's goods, the most popular first."""
    inside = (item for item in everything() if item.category == leaf)
    return tuple(sorted(inside, key=lambda item: item.popularity))


def product_of(sku: str) -> str | None:
    """Return the id of the product that a SKU belongs to, `None` if there is no such SKU."""
    product_id = sku.partition("-")[0]
    if exists(product_id) and any(variant.sku == sku for variant in good(product_id).variants):
        return product_id
    return None


def brand_name(item: Good) -> str:
    """Return the name to show for a good's brand."""
    return text.pairs("brands")[item.brand]


@functools.lru_cache(maxsize=COUNT * len(LOCALES))
def title(product_id: str, locale: str) -> str:
    """Return a product's title: the noun last in English and German, first in French."""
    item = good(product_id)
    noun = categories.LEAVES[item.category].noun[LOCALES.index(locale)]
    name = f"{brand_name(item)} {item.model}"
    return f"{noun} {name}" if locale == "fr" else f"{name} {noun}"


def popular(chance: random.Random) -> Good:
    """Draw a good as customers do: the popular ones much more often."""
    by_rank = _by_popularity()
    return by_rank[int(COUNT * chance.random() ** 2.6)]


@functools.cache
def _by_popularity() -> tuple[Good, ...]:
    return tuple(sorted(everything(), key=lambda item: item.popularity))
