"""The seeded recommendations, and products that are bought together."""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from services_mock.data import categories, goods, products, seed, users
from services_mock.data.goods import Good

PER_PLACEMENT = 60
MODEL = "two-tower-2026-10"

Placement = Literal["home", "cart", "search"]
Code = Literal["bought_together", "viewed", "popular", "trending", "category"]
Kind = Literal["similar", "bought_together", "accessory"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is recommended; for a view to put into words."""

    code: Code
    product_id: str | None
    category_id: str | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One product that a customer might like, and what the model saw in it."""

    product_id: str
    rank: int
    score: float
    placement: Placement
    reason: Reason
    model: str
    tracking_id: str
    features: dict[str, float]


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """A product that goes with another; `support` counts the orders that say so."""

    product_id: str
    score: float
    kind: Kind
    support: int


@dataclass(frozen=True, slots=True)
class Related:
    """What goes with a product."""

    product_id: str
    items: tuple[RelatedItem, ...]


@functools.lru_cache(maxsize=users.COUNT * 3)
def recommendations(customer_id: str, placement: Placement) -> tuple[Recommendation, ...]:
    """Return what is recommended to a customer that exists, by rank."""
    chance = seed.draw("recommendations", customer_id, placement)
    chosen: dict[str, Good] = {}
    for item in _candidates(chance, customer_id):
        chosen.setdefault(item.id, item)
        if len(chosen) == PER_PLACEMENT:
            break
    return _ranked(chance, list(chosen.values()), placement)


@functools.cache
def trending(category: str | None) -> tuple[Recommendation, ...]:
    """Return the best sellers, of one category where it is given."""
    leaves = set(categories.LEAVES) if category is None else categories.leaves_under(category)
    inside = [item for item in goods.everything() if item.category in leaves]
    inside.sort(key=lambda item: item.popularity)
    return _ranked(seed.draw("trending", str(category)), inside[:PER_PLACEMENT], "home")


@functools.lru_cache(maxsize=goods.COUNT)
def related(product_id: str) -> Related:
    """Return what goes with a product that exists."""
    chance = seed.draw("together", product_id)
    chosen = dict.fromkeys(products.related(product_id)[::2])
    while len(chosen) < 12:
        chosen.setdefault(goods.popular(chance).id)
    chosen.pop(product_id, None)
    scores = sorted((round(chance.betavariate(2, 3), 4) for _ in chosen), reverse=True)
    return Related(
        product_id,
        tuple(
            RelatedItem(other, score, chance.choice(get_args(Kind)), 1 + int(score * 240))
            for other, score in zip(chosen, scores, strict=True)
        ),
    )


def _candidates(chance: random.Random, customer_id: str) -> Iterator[Good]:
    """Walk the customer's interests first, then what everybody buys; without end."""
    for interest in users.user(customer_id).interests:
        liked = goods.in_category(interest.category_id)[:12]
        yield from seed.some(chance, liked, 3, 6)
    while True:
        yield goods.popular(chance)


def _ranked(
    chance: random.Random, chosen: list[Good], placement: Placement
) -> tuple[Recommendation, ...]:
    scores = sorted((round(chance.betavariate(3, 2), 4) for _ in chosen), reverse=True)
    return tuple(
        Recommendation(
            product_id=item.id,
            rank=rank,
            score=score,
            placement=placement,
            reason=_reason(chance, item),
            model=MODEL,
            tracking_id=f"{chance.getrandbits(64):016x}",
            features=_features(chance),
        )
        for rank, (item, score) in enumerate(zip(chosen, scores, strict=True), 1)
    )


def _reason(chance: random.Random, item: Good) -> Reason:
    code: Code = chance.choice(get_args(Code))
    with_product = goods.popular(chance).id if code in {"bought_together", "viewed"} else None
    return Reason(code, with_product, item.category if code == "category" else None)


def _features(chance: random.Random) -> dict[str, float]:
    names = ("affinity", "recency", "margin", "novelty", "stock")
    return {name: round(chance.random(), 4) for name in names}
